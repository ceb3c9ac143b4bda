//! What `--bind`, `--set` and `--out` mean for a kernel: names found, arrays laid out, values encoded.
//!
//! Knows a kernel's interface; nothing of grids, devices or the order of a run.

use std::path::PathBuf;

use warpweft::{AnyBuffer, Interface, Kernel, Runtime, Scalar};
use warpweft_module::{Binding, Space, Type};

use crate::array::{self, Array, Content};
use crate::failure::{Failure, Outcome};
use crate::layout::Layout;
use crate::{npy, values};

/// An array bound to a name.
pub(crate) struct Input {
    /// The binding.
    pub(crate) name: String,
    /// The type of the array's elements.
    pub(crate) scalar: Scalar,
    /// The array's shape.
    pub(crate) shape: Vec<usize>,
    /// How it lies in the buffer.
    pub(crate) layout: Layout,
    /// The buffer with its content.
    pub(crate) buffer: AnyBuffer,
    /// The kernel writes it.
    pub(crate) writes: bool,
}

/// A binding that is to be written to a file.
#[derive(Debug)]
pub(crate) struct Output {
    /// The position of the input whose type and shape it has.
    pub(crate) input: usize,
    /// The file; with `--every`, `{step}` in its name stands for the number of the step.
    pub(crate) path: PathBuf,
}

/// The binding of that name.
fn find<'k>(kernel: &'k Kernel, name: &str) -> Outcome<&'k Binding> {
    let interface = kernel.interface();
    if let Some(position) = interface.position(name) {
        return Ok(&interface.bindings[position]);
    }
    // The launcher words it best: it knows the names, and which is near.
    match kernel.launch().set_bytes(name, &[]).prepare() {
        Err(error) => Err(error.into()),
        Ok(_) => Err(Failure::failed(format!("there is no binding `{name}`"))),
    }
}

/// Finds what every `--bind` names before any file is read, then reads, lays out and takes in the arrays.
///
/// # Errors
/// When a name is unknown or bound twice, an array cannot be read or made, or does not fit its binding.
pub(crate) fn inputs(runtime: &Runtime, kernel: &Kernel, given: &[(String, String)]) -> Outcome<Vec<Input>> {
    for (position, (name, _)) in given.iter().enumerate() {
        find(kernel, name)?;
        if given[..position].iter().any(|(other, _)| other == name) {
            return Err(Failure::usage(format!("`--bind {name}=…` is given twice: give it once")));
        }
    }
    given.iter().map(|(name, what)| input(runtime, find(kernel, name)?, what)).collect()
}

fn input(runtime: &Runtime, binding: &Binding, what: &str) -> Outcome<Input> {
    let name = &binding.name;
    let failed = |why: String| Failure::failed(format!("`--bind {name}={what}`: {why}"));
    let array = match array::is_generator(what) {
        true => {
            // Devices whose memory is the host's know how much there is.
            let memory = runtime.devices().iter().filter(|d| d.host_memory).find_map(|d| d.limits.memory);
            array::generate(what, memory).map_err(failed)?
        }
        false => npy::read(what.as_ref())?,
    };
    let layout = Layout::new(&binding.ty, &array).map_err(failed)?;
    let Array { scalar, shape, content } = array;
    let buffer = match content {
        Content::Zeros => runtime.zeros::<u8>([layout.buffer_len()])?,
        Content::Bytes(bytes) => runtime.buffer(layout.pad(bytes).map_err(failed)?)?,
    };
    let buffer = buffer.erase().reinterpret(layout.element, layout.shape.clone())?;
    Ok(Input { name: name.clone(), scalar, shape, layout, buffer, writes: binding.access.writes })
}

/// The bytes of every `--set`, by the type of what it names.
///
/// # Errors
/// When a name or member is unknown, given twice or bound, or a value does not fit its type.
pub(crate) fn settings(
    kernel: &Kernel,
    given: &[(String, String)],
    bound: &[(String, String)],
) -> Outcome<Vec<(String, Vec<u8>)>> {
    let mut settings: Vec<(String, Vec<u8>)> = Vec::new();
    for (path, text) in given {
        let first = path.split('.').next().unwrap_or_default();
        let binding = find(kernel, first)?;
        if bound.iter().any(|(name, _)| name == first) {
            let text =
                format!("`{first}` is given both by `--bind` and by `--set {path}={text}`: use one of them");
            return Err(Failure::usage(text));
        }
        if settings.iter().any(|(other, _)| other == path) {
            return Err(Failure::usage(format!("`--set {path}=…` is given twice: give it once")));
        }
        if binding.space == Space::Storage {
            return Err(Failure::failed(format!(
                "`--set {path}={text}`: `{first}` is in storage (`{}`): bind an array to it, as in `--bind \
                 {first}={first}.npy`",
                binding.ty
            )));
        }
        let ty = match member(&binding.ty, path) {
            Some(ty) => ty,
            None => {
                // Again the launcher knows the words: which members there are.
                let error = kernel.launch().set_bytes(path, &[]).prepare().err();
                let text = error.map_or(format!("there is no `{path}`"), |error| error.to_string());
                return Err(Failure::failed(text));
            }
        };
        let bytes = values::encode(ty, text)
            .map_err(|why| Failure::failed(format!("`--set {path}={text}`: {why} (`{path}` is a `{ty}`)")))?;
        settings.push((path.clone(), bytes));
    }
    Ok(settings)
}

/// The type at a dotted path below a binding's type.
fn member<'t>(ty: &'t Type, path: &str) -> Option<&'t Type> {
    path.split('.').skip(1).try_fold(ty, |ty, step| match ty {
        Type::Struct { members, .. } => members.iter().find(|m| m.name == step).map(|m| &m.ty),
        _ => None,
    })
}

/// Refuses a launch whose bindings are not all given, naming the flag for each one that lacks.
///
/// # Errors
/// When one lacks.
pub(crate) fn complete(interface: &Interface, bound: &[Input], set: &[(String, Vec<u8>)]) -> Outcome {
    let given = |name: &str| {
        bound.iter().any(|input| input.name == name)
            || set.iter().any(|(path, _)| path.split('.').next() == Some(name))
    };
    let missing: Vec<String> = interface
        .bindings
        .iter()
        .filter(|binding| !given(&binding.name))
        .map(|Binding { name, ty, space, .. }| match (space, ty) {
            (Space::Storage, _) => format!("`--bind {name}=…` (`{ty}`)"),
            (Space::Uniform, Type::Struct { members, .. }) => {
                let members: Vec<String> =
                    members.iter().map(|m| format!("`--set {name}.{}=…` (`{}`)", m.name, m.ty)).collect();
                members.join(", ")
            }
            (Space::Uniform, _) => format!("`--set {name}=…` (`{ty}`)"),
        })
        .collect();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(Failure::failed(format!("kernel `{}` needs {}", interface.entry, missing.join(", ")))),
    }
}

/// The outputs that `--out` names.
///
/// # Errors
/// When one is no binding, is not bound to an array, or is written neither by the kernel nor by a swap.
pub(crate) fn outputs(
    kernel: &Kernel,
    inputs: &[Input],
    swaps: &[(usize, usize)],
    given: &[(String, String)],
) -> Outcome<Vec<Output>> {
    let mut written: Vec<bool> = inputs.iter().map(|input| input.writes).collect();
    // Swaps carry what is written from one to the next.
    for _ in swaps {
        for &(a, b) in swaps {
            let either = written[a] || written[b];
            (written[a], written[b]) = (either, either);
        }
    }
    let one = |(name, path): &(String, String)| {
        let binding = find(kernel, name)?;
        let shown = format!("`--out {name}={path}`");
        let Some(input) = inputs.iter().position(|input| input.name == *name) else {
            return Err(Failure::failed(format!(
                "{shown}: `{name}` (`{}`) has no array bound to it; bind one with `--bind {name}=…`",
                binding.ty
            )));
        };
        if !written[input] {
            let names: Vec<String> = inputs
                .iter()
                .zip(&written)
                .filter(|(_, w)| **w)
                .map(|(i, _)| format!("`{}`", i.name))
                .collect();
            let what = match names.is_empty() {
                true => "it writes none of its bindings".to_string(),
                false => format!("it writes {}", names.join(", ")),
            };
            return Err(Failure::failed(format!(
                "{shown}: kernel `{}` does not write `{name}`; {what}",
                kernel.name()
            )));
        }
        Ok(Output { input, path: path.into() })
    };
    given.iter().map(one).collect()
}

/// The pairs that `--swap` names.
///
/// # Errors
/// When a name is not bound to an array, or the arrays differ in type or shape.
pub(crate) fn swaps(
    kernel: &Kernel,
    inputs: &[Input],
    given: &[(String, String)],
) -> Outcome<Vec<(usize, usize)>> {
    let position = |name: &str, shown: &str| {
        find(kernel, name)?;
        let found = inputs.iter().position(|input| input.name == name);
        found.ok_or_else(|| {
            Failure::failed(format!("{shown}: `{name}` has no array bound to it (`--bind {name}=…`)"))
        })
    };
    let one = |(a, b): &(String, String)| {
        let shown = format!("`--swap {a},{b}`");
        let (i, j) = (position(a, &shown)?, position(b, &shown)?);
        let (x, y) = (&inputs[i], &inputs[j]);
        if (x.scalar, &x.shape, &x.layout) != (y.scalar, &y.shape, &y.layout) {
            return Err(Failure::failed(format!(
                "{shown}: `{a}` is {} of shape {:?}, `{b}` is {} of shape {:?}; only arrays of one type and shape can be \
                 swapped",
                x.scalar, x.shape, y.scalar, y.shape
            )));
        }
        Ok((i, j))
    };
    given.iter().map(one).collect()
}
