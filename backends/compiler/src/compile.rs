//! The pipeline: one kernel through all stages, in order.
//!
//! Knows the order, and what each generator is called; how a stage works is said where it lives.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use warpweft_module::Kernel;
use warpweft_ssa::Limits;
use warpweft_ssa::ir as ssa;
use warpweft_vector::ir::{Function, Mark};
use warpweft_vector::legalise::legalise;
use warpweft_vector::passes::{self, Room, pipeline, short_pipeline};
use warpweft_vector::{Machine, MachineCode, Refusal};
use warpweft_x64::{Effort, Level};

use crate::lower::lower;
use crate::options::{Generator, NotCompiled, Options};
use crate::width;

/// A kernel as machine code that nobody has made executable yet.
#[derive(Debug)]
pub(crate) struct Built {
    /// The vector programs that the code generator got: the kernel's, then those of functions that it calls.
    pub(crate) vector: Vec<Function>,
    /// Their code.
    pub(crate) code: Vec<MachineCode>,
    pub(crate) lanes: u16,
    pub(crate) workgroup_bytes: u64,
    pub(crate) private_bytes: u64,
    pub(crate) times: Times,
}

/// How long the stages took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// WGSL's IR to SSA.
    pub ssa: Duration,
    /// SSA to vector IR.
    pub lower: Duration,
    /// Passes over vector IR.
    pub passes: Duration,
    /// What the machine lacks into what it has.
    pub legalise: Duration,
    /// Machine code.
    pub generate: Duration,
}

impl Times {
    /// All stages together.
    pub fn total(&self) -> Duration {
        self.ssa + self.lower + self.passes + self.legalise + self.generate
    }
}

/// All stages. Where the chosen gangs are too wide for the generator, narrower ones are tried.
pub(crate) fn build(kernel: &Kernel, options: &Options, limits: &Limits) -> Result<Built, NotCompiled> {
    let mut clock = Clock(Instant::now());
    let function = to_ssa(kernel, limits)?;
    let times = Times { ssa: clock.lap(), ..Times::default() };
    let (mut lanes, mut shapes) = width::lanes(&function, options);
    loop {
        match build_for(&function, lanes, shapes.take(), options, times, &mut clock) {
            Err(_) if options.lanes.is_none() && lanes > 4 => lanes /= 2,
            built => return built,
        }
    }
}

/// The stages behind SSA, for gangs of that many lanes; `shapes` are known already.
fn build_for(
    function: &ssa::Function,
    lanes: u16,
    shapes: Option<width::Shapes>,
    options: &Options,
    mut times: Times,
    clock: &mut Clock,
) -> Result<Built, NotCompiled> {
    let lowered = lower(function, lanes, shapes, options)?;
    let (workgroup_bytes, private_bytes) = (lowered.workgroup_bytes, lowered.private_bytes);
    let rare = lowered.rare;
    let mut vector = vec![lowered.function];
    vector.extend(lowered.callees);
    vector.iter().try_for_each(sound)?;
    times.lower = clock.lap();
    let effort = |at: usize| if rare && at > 0 { Effort::Low } else { Effort::High };
    let optimised = |(at, vector)| optimised(vector, options, effort(at));
    let mut vector: Vec<Function> = vector.into_iter().enumerate().map(optimised).collect();
    times.passes = clock.lap();
    vector.iter_mut().try_for_each(|vector| legalised(vector, options.generator))?;
    for (at, vector) in vector.iter_mut().enumerate() {
        // Where most values lie on the stack, their order matters little.
        if vector.is_long() || effort(at) == Effort::Low {
            continue;
        }
        if let Some(room) = room(options.generator, vector.lanes) {
            passes::schedule(vector, room);
            checked(vector);
        }
    }
    times.legalise = clock.lap();
    let code = vector.iter().enumerate().map(|(at, vector)| generate(vector, options.generator, effort(at)));
    let code = code.collect::<Result<Vec<_>, _>>().map_err(|refusal| refused(function, refusal))?;
    times.generate = clock.lap();
    Ok(Built { vector, code, lanes, workgroup_bytes, private_bytes, times })
}

/// A kernel as SSA.
pub(crate) fn to_ssa(kernel: &Kernel, limits: &Limits) -> Result<ssa::Function, NotCompiled> {
    ssa::Function::within(kernel, limits)
        .map_err(|unsupported| NotCompiled { what: unsupported.what, location: unsupported.location })
}

fn optimised(function: Function, options: &Options, effort: Effort) -> Function {
    let passes = if function.is_long() || effort == Effort::Low { short_pipeline } else { pipeline };
    let register = 4 * options.generator.native_lanes();
    let registers = options.generator.registers();
    passes(function, passes::Options { contract: !options.strict, register, registers })
}

fn legalised(function: &mut Function, generator: Generator) -> Result<(), NotCompiled> {
    let machine: &dyn Machine = match generator {
        Generator::Cranelift => &warpweft_cranelift::Target::host()
            .map_err(|refusal| NotCompiled { what: refusal.what, location: None })?,
        Generator::Avx2 => &warpweft_x64::Target(Level::Avx2),
        Generator::Avx512 => &warpweft_x64::Target(Level::Avx512),
    };
    legalise(function, machine);
    checked(function);
    Ok(())
}

/// What fits into a generator's registers; `None` where somebody else orders operations. All of them count, though some
/// hold what is the same all the time: a few values on the stack cost less than waiting.
fn room(generator: Generator, lanes: u16) -> Option<Room> {
    let (registers, masks) = match generator {
        Generator::Cranelift => return None,
        Generator::Avx2 => (16, None),
        Generator::Avx512 => (32, Some(7)),
    };
    let parts = u32::from(lanes.div_ceil(generator.native_lanes()));
    Some(Room { vectors: registers / parts, masks: masks.map(|masks: u32| masks / parts), parts })
}

/// Lowering has left a valid function. Always looked at: it takes microseconds, and the kernel can still be interpreted.
fn sound(function: &Function) -> Result<(), NotCompiled> {
    let result = warpweft_vector::verify(function).map_err(|error| error.to_string());
    debug_assert_eq!(result, Ok(()));
    result.map_err(|error| NotCompiled { what: format!("internal: {error}"), location: None })
}

/// A stage has left a valid function.
fn checked(function: &Function) {
    debug_assert_eq!(warpweft_vector::verify(function).map_err(|error| error.to_string()), Ok(()));
}

fn generate(function: &Function, generator: Generator, effort: Effort) -> Result<MachineCode, Refusal> {
    let level = match generator {
        Generator::Cranelift => return warpweft_cranelift::compile(function),
        Generator::Avx2 => Level::Avx2,
        Generator::Avx512 => Level::Avx512,
    };
    warpweft_x64::compile_with(function, level, effort)
}

/// Machine code, for people: one instruction a line.
pub(crate) fn assembly(built: &Built, generator: Generator) -> Result<String, NotCompiled> {
    let mut text = String::new();
    for (at, (vector, code)) in built.vector.iter().zip(&built.code).enumerate() {
        if at > 0 {
            let _ = writeln!(text, "\n; function {} {}", at - 1, vector.name);
        }
        text += &match generator {
            Generator::Cranelift => warpweft_cranelift::listing(vector)
                .map_err(|refusal| NotCompiled { what: refusal.what, location: None })?,
            _ => warpweft_x64::listing(code),
        };
    }
    Ok(text)
}

/// The kernel's vector program and those of functions that it calls, for people.
pub(crate) fn programs(built: &Built) -> String {
    let mut text = built.vector[0].to_string();
    for (number, vector) in built.vector[1..].iter().enumerate() {
        let _ = write!(text, "\n; function {number}\n{vector}");
    }
    text
}

/// The source lines that marks stand for, as a legend.
pub(crate) fn legend(function: &ssa::Function) -> String {
    let mut text = String::new();
    for (at, location) in function.locations.iter().enumerate() {
        let _ = writeln!(text, "; @{} is {location}", at + 1);
    }
    text
}

fn refused(function: &ssa::Function, refusal: Refusal) -> NotCompiled {
    let Mark(mark) = refusal.mark;
    NotCompiled { what: refusal.what, location: function.location(ssa::Mark(mark)).cloned() }
}

/// Measures what lies between two looks at it.
struct Clock(Instant);

impl Clock {
    fn lap(&mut self) -> Duration {
        let now = Instant::now();
        now - std::mem::replace(&mut self.0, now)
    }
}
