//! `warpweft ir`: a kernel as the CPU's compiler sees it, stage by stage. Nothing runs.

use warpweft_compiler::{Generator, Options};
use warpweft_module::{Kernel, Module, Source};

use crate::args::{IrArgs, Stage};
use crate::failure::{Failure, Outcome};
use crate::{job, say};

/// Prints a stage.
///
/// # Errors
/// When the kernel is not valid or not compiled, or this machine lacks the generator.
pub(crate) fn ir(args: &IrArgs) -> Outcome {
    let kernel = kernel(args)?;
    let options = || {
        let available = Generator::available();
        let generator = match args.generator {
            Some(generator) => generator,
            None => *available
                .first()
                .ok_or_else(|| Failure::failed("no code generator works on this machine"))?,
        };
        if args.stage == Stage::Asm && !available.contains(&generator) {
            let names: Vec<_> = available.iter().map(|generator| generator.name()).collect();
            let text = format!("this machine cannot run code of `{generator}`; it has {}", names.join(", "));
            return Err(Failure::failed(text));
        }
        Ok(Options { generator, strict: args.strict, lanes: args.lanes, streaming: args.streaming })
    };
    let text = match args.stage {
        Stage::Module => Ok(kernel.dump()),
        Stage::Ssa => warpweft_compiler::stage_ssa(&kernel),
        Stage::Vector => warpweft_compiler::stage_vector(&kernel, &options()?),
        Stage::Asm => warpweft_compiler::stage_assembly(&kernel, &options()?),
    };
    let text = text.map_err(|error| {
        Failure::failed(format!(
            "kernel `{}` is interpreted, not compiled: {error}",
            kernel.interface().entry
        ))
    })?;
    say::out(&text)
}

fn kernel(args: &IrArgs) -> Outcome<Kernel> {
    let paths = [&args.kernel].into_iter().chain(&args.with);
    let sources = paths.map(|path| Ok(Source::new(path.display().to_string(), job::source(path)?)));
    let sources = sources.collect::<Outcome<Vec<_>>>()?;
    let failure = |error: warpweft_module::ModuleError| Failure::from(warpweft::Error::from(error));
    let module = Module::new(&sources, &args.alias).map_err(failure)?;
    module.kernel(args.entry.as_deref(), &args.constants).map_err(|error| match module.entries().len() {
        0 | 1 => failure(error),
        _ => failure(error).hint("Say which with `--entry NAME`."),
    })
}
