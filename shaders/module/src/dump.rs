//! naga's module as text for the eye: one line per type, variable, expression and statement.
//!
//! Not a format: nothing reads it back, and it changes with naga.

use naga::{Block, Function, Module, Statement};
use std::fmt::Write;

/// All of `module`.
pub(crate) fn dump(module: &Module) -> String {
    let mut out = String::new();
    print(module, &mut out).map(|()| out).unwrap_or_default()
}

fn print(module: &Module, out: &mut String) -> std::fmt::Result {
    for (handle, ty) in module.types.iter() {
        let name = ty.name.as_deref().unwrap_or_default();
        writeln!(out, "type {handle:?} {name} = {:?}", ty.inner)?;
    }
    for (handle, expression) in module.global_expressions.iter() {
        writeln!(out, "value {handle:?} = {expression:?}")?;
    }
    for (handle, constant) in module.constants.iter() {
        let name = constant.name.as_deref().unwrap_or_default();
        writeln!(out, "const {handle:?} {name}: {:?} = {:?}", constant.ty, constant.init)?;
    }
    for (handle, variable) in module.global_variables.iter() {
        let name = variable.name.as_deref().unwrap_or_default();
        write!(out, "var {handle:?} {name}: {:?} in {:?}", variable.ty, variable.space)?;
        if let Some(place) = &variable.binding {
            write!(out, " at group {} binding {}", place.group, place.binding)?;
        }
        writeln!(out)?;
    }
    for (handle, function) in module.functions.iter() {
        let name = function.name.as_deref().unwrap_or_default();
        writeln!(out, "\nfn {handle:?} {name}")?;
        body(function, out)?;
    }
    for point in &module.entry_points {
        writeln!(out, "\n{:?} entry {} of {:?}", point.stage, point.name, point.workgroup_size)?;
        body(&point.function, out)?;
    }
    Ok(())
}

fn body(function: &Function, out: &mut String) -> std::fmt::Result {
    for (index, argument) in function.arguments.iter().enumerate() {
        let name = argument.name.as_deref().unwrap_or_default();
        writeln!(out, "  argument {index} {name}: {:?} {:?}", argument.ty, argument.binding)?;
    }
    for (handle, local) in function.local_variables.iter() {
        let name = local.name.as_deref().unwrap_or_default();
        writeln!(out, "  local {handle:?} {name}: {:?} = {:?}", local.ty, local.init)?;
    }
    for (handle, expression) in function.expressions.iter() {
        match function.named_expressions.get(&handle) {
            Some(name) => writeln!(out, "  {handle:?} {name} = {expression:?}")?,
            None => writeln!(out, "  {handle:?} = {expression:?}")?,
        }
    }
    block(&function.body, 1, out)
}

fn block(statements: &Block, depth: usize, out: &mut String) -> std::fmt::Result {
    statements.iter().try_for_each(|inner| statement(inner, depth, out))
}

fn statement(statement: &Statement, depth: usize, out: &mut String) -> std::fmt::Result {
    // Beyond this the margin is no help any more, and costs a square of the depth.
    let margin = "  ".repeat(depth.min(20));
    match statement {
        Statement::Block(inner) => {
            writeln!(out, "{margin}{{")?;
            block(inner, depth + 1, out)?;
        }
        Statement::If { condition, accept, reject } => {
            writeln!(out, "{margin}if {condition:?} {{")?;
            block(accept, depth + 1, out)?;
            if !reject.is_empty() {
                writeln!(out, "{margin}}} else {{")?;
                block(reject, depth + 1, out)?;
            }
        }
        Statement::Switch { selector, cases } => {
            writeln!(out, "{margin}switch {selector:?} {{")?;
            for case in cases {
                let through = if case.fall_through { ", falls through" } else { "" };
                writeln!(out, "{margin}case {:?}{through}", case.value)?;
                block(&case.body, depth + 1, out)?;
            }
        }
        Statement::Loop { body, continuing, break_if } => {
            writeln!(out, "{margin}loop {{")?;
            block(body, depth + 1, out)?;
            writeln!(out, "{margin}continuing, break if {break_if:?}")?;
            block(continuing, depth + 1, out)?;
        }
        other => return writeln!(out, "{margin}{other:?}"),
    }
    writeln!(out, "{margin}}}")
}
