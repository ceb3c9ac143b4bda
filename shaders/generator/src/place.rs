//! What can be read, and perhaps written: names with members and indices.
//!
//! Knows no expressions: whoever writes a place out fills the indices in.

use crate::types::Ty;

/// A variable, or what lies at some member or index in one.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) name: String,
    pub(crate) path: Vec<Part>,
    pub(crate) ty: Ty,
    /// It can be assigned.
    pub(crate) mutable: bool,
    /// Others see its bits in the end: no NaN may be written, for its bits are anybody's guess.
    pub(crate) visible: bool,
    /// The same in every invocation of the workgroup, wherever control flow is uniform.
    pub(crate) uniform: bool,
    /// A pointer to it may be taken, and passed to functions.
    pub(crate) pointable: bool,
}

/// One step into a variable.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    /// `.member`.
    Member(String),
    /// Any index; most are below this.
    Index(u32),
    /// `[before (index % count) after]`: the elements that belong to the invocation.
    Own { before: String, count: u32, after: String },
}

impl Place {
    pub(crate) fn new(name: impl Into<String>, ty: Ty) -> Self {
        Self {
            name: name.into(),
            path: Vec::new(),
            ty,
            mutable: false,
            visible: false,
            uniform: false,
            pointable: false,
        }
    }

    /// A variable of the function.
    pub(crate) fn variable(name: impl Into<String>, ty: Ty) -> Self {
        Self { mutable: true, pointable: true, ..Self::new(name, ty) }
    }

    pub(crate) fn member(mut self, name: &str, ty: Ty) -> Self {
        self.path.push(Part::Member(name.to_owned()));
        self.ty = ty;
        self
    }

    pub(crate) fn index(mut self, count: u32, ty: Ty) -> Self {
        self.path.push(Part::Index(count));
        self.ty = ty;
        self
    }

    /// Without indices it is a whole variable.
    pub(crate) fn is_whole(&self) -> bool {
        self.path.is_empty()
    }
}
