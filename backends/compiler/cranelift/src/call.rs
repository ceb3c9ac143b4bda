//! Calls of other functions of the same program, whose distances are filled in when all are put together.
//!
//! Knows names and relocations of Cranelift's; nothing of where functions lie.

use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::ir::{self as clif, AbiParam, ExternalName, InstBuilder, UserExternalName, types};
use cranelift_codegen::isa::CallConv;
use cranelift_codegen::{FinalizedMachReloc, FinalizedRelocTarget};
use warpweft_vector::{CallForm, CallSite, ir};

use crate::parts::Translation;

/// A function that is called with so many arguments.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Callee {
    number: u32,
    arguments: usize,
    name: clif::FuncRef,
}

impl Translation<'_> {
    pub(crate) fn call(&mut self, number: u32, arguments: &[ir::Value]) {
        let values: Vec<clif::Value> = arguments.iter().map(|&argument| self.scalar(argument)).collect();
        let name = self.callee(number, values.len());
        self.at.ins().call(name, &values);
    }

    fn callee(&mut self, number: u32, arguments: usize) -> clif::FuncRef {
        let known = |callee: &&Callee| (callee.number, callee.arguments) == (number, arguments);
        if let Some(callee) = self.callees.iter().find(known) {
            return callee.name;
        }
        let function = &mut self.at.func;
        let mut signature = clif::Signature::new(CallConv::SystemV);
        signature.params = vec![AbiParam::new(types::I64); arguments];
        let signature = function.import_signature(signature);
        let name = function.declare_imported_user_function(UserExternalName::new(0, number));
        let name = function.import_function(clif::ExtFuncData {
            name: ExternalName::user(name),
            signature,
            colocated: true,
            patchable: false,
        });
        self.callees.push(Callee { number, arguments, name });
        name
    }
}

/// What a relocation calls; `None` where it is for something else.
pub(crate) fn site(relocation: &FinalizedMachReloc, function: &clif::Function) -> Option<CallSite> {
    let form = match relocation.kind {
        Reloc::X86CallPCRel4 => CallForm::Distance,
        Reloc::Arm64Call => CallForm::Instructions,
        _ => return None,
    };
    let FinalizedRelocTarget::ExternalName(ExternalName::User(name)) = &relocation.target else {
        return None;
    };
    let function = function.params.user_named_funcs().get(*name)?.index;
    Some(CallSite { at: relocation.offset, function, form })
}
