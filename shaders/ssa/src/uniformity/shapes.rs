//! Shapes of values, levels of control flow, and how both are joined.

/// Which invocations make a gang: those that one vector program runs together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ganging {
    /// Consecutive invocations along x, across workgroups: for kernels without barriers, workgroup memory and subgroup
    /// operations. The first lane of the first gang of a row is the first invocation of a workgroup.
    Rows {
        /// Invocations of a gang, a power of two.
        lanes: u32,
        /// The workgroup's size along x is a multiple of `lanes`, so that no gang crosses workgroups.
        aligned: bool,
    },
    /// Consecutive local invocation indices of one workgroup, from a multiple of `lanes` on.
    Workgroup {
        /// Invocations of a gang, a power of two.
        lanes: u32,
    },
}

impl Ganging {
    /// Invocations of a gang.
    pub fn lanes(self) -> u32 {
        match self {
            Ganging::Rows { lanes, .. } | Ganging::Workgroup { lanes } => lanes,
        }
    }
}

/// How a value varies over the active lanes of a gang.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// The same for the whole launch.
    Launch,
    /// The same in a workgroup.
    Workgroup,
    /// The same for all active lanes of a gang.
    Gang,
    /// A `u32` or `i32` that grows by this much, not 0, from lane to lane, modulo 2³².
    Affine(i64),
    /// Anything.
    Varying,
}

/// How far invocations are together: at a point of the program, or in a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Level {
    /// All of the launch.
    Launch,
    /// All of a workgroup.
    Workgroup,
    /// All of a gang.
    Gang,
    /// Not even the lanes of a gang.
    Divergent,
}

/// What is known of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fact {
    /// The join of what the lanes may disagree about, or nothing while nothing is known to flow here.
    pub(crate) shape: Option<Shape>,
    /// The value that lane 0 has, or would have, is a multiple of two to this power. At most 32.
    pub(crate) zeros: u8,
}

impl Fact {
    /// Nothing flows here yet.
    pub(crate) const NONE: Fact = Fact { shape: None, zeros: 32 };
    /// Anything.
    pub(crate) const VARYING: Fact = Fact::new(Shape::Varying);

    pub(crate) const fn new(shape: Shape) -> Self {
        Fact { shape: Some(shape), zeros: 0 }
    }

    pub(crate) fn aligned(shape: Shape, zeros: u32) -> Self {
        Fact { shape: Some(shape), zeros: zeros.min(32) as u8 }
    }

    /// A value that is the same for all that are together at this level, and else anything.
    pub(crate) fn level(level: Level) -> Self {
        Fact::new(match level {
            Level::Launch => Shape::Launch,
            Level::Workgroup => Shape::Workgroup,
            Level::Gang => Shape::Gang,
            Level::Divergent => Shape::Varying,
        })
    }

    /// `base + step * lane`: uniform at the gang where the step is 0 modulo 2³².
    pub(crate) fn affine(step: i64, zeros: u8) -> Self {
        match i64::from(step as i32) {
            0 => Fact { shape: Some(Shape::Gang), zeros },
            step => Fact { shape: Some(Shape::Affine(step)), zeros },
        }
    }

    pub(crate) fn known(self) -> bool {
        self.shape.is_some()
    }

    pub(crate) fn shape(self) -> Shape {
        self.shape.unwrap_or(Shape::Varying)
    }

    /// How far a choice by this value keeps invocations together. Unknown counts as together: it is asked again.
    pub(crate) fn choice(self) -> Level {
        match self.shape {
            None | Some(Shape::Launch) => Level::Launch,
            Some(Shape::Workgroup) => Level::Workgroup,
            Some(Shape::Gang) => Level::Gang,
            Some(Shape::Affine(_) | Shape::Varying) => Level::Divergent,
        }
    }

    /// The step from lane to lane, 0 for uniform values, nothing for varying ones.
    pub(crate) fn step(self) -> Option<i64> {
        match self.shape? {
            Shape::Affine(step) => Some(step),
            Shape::Varying => None,
            _ => Some(0),
        }
    }

    /// One or the other, where what chooses is the same for those at `choice`.
    pub(crate) fn join(self, other: Fact, choice: Level) -> Fact {
        let (a, b) = match (self.shape, other.shape) {
            (None, None) => return Fact::NONE,
            (Some(shape), None) | (None, Some(shape)) => (shape, shape),
            (Some(a), Some(b)) => (a, b),
        };
        let zeros = self.zeros.min(other.zeros);
        let shape = match (a, b) {
            (Shape::Affine(a), Shape::Affine(b)) if a == b => Shape::Affine(a),
            (Shape::Affine(_) | Shape::Varying, _) | (_, Shape::Affine(_) | Shape::Varying) => Shape::Varying,
            _ => Fact::level(Fact::new(a).choice().max(Fact::new(b).choice())).shape(),
        };
        Fact { shape: Some(shape), zeros }.at_most(choice)
    }

    /// The same, but no more uniform than this level.
    pub(crate) fn at_most(self, level: Level) -> Fact {
        let shape = match self.shape {
            None => return self,
            Some(Shape::Affine(_)) if level < Level::Divergent => return self,
            Some(Shape::Affine(_) | Shape::Varying) => Shape::Varying,
            Some(shape) => Fact::level(Fact::new(shape).choice().max(level)).shape(),
        };
        Fact { shape: Some(shape), zeros: self.zeros }
    }

    /// The same, but no less uniform than the gang: for gangs of one lane.
    pub(crate) fn single_lane(self) -> Fact {
        match self.shape {
            Some(Shape::Affine(_) | Shape::Varying) => Fact { shape: Some(Shape::Gang), zeros: self.zeros },
            _ => self,
        }
    }
}
