//! Structures, arrays and matrices: their declarations, the places in them, and their layout in bindings.
//!
//! Knows no statements.

use crate::Profile;
use crate::author::Author;
use crate::place::Place;
use crate::types::{Scalar, Ty};

/// What a member or a variable can be.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    Plain(Ty),
    Array(Ty, u32),
    /// Columns and rows, of `f32`.
    Matrix(u8, u8),
    Struct(Struct),
}

/// A structure that was declared.
#[derive(Clone, Debug)]
pub(crate) struct Struct {
    pub(crate) name: String,
    pub(crate) members: Vec<(String, Shape)>,
}

impl Shape {
    pub(crate) fn name(&self) -> String {
        match self {
            Shape::Plain(ty) => ty.name(),
            Shape::Array(ty, count) => format!("array<{}, {count}>", ty.name()),
            Shape::Matrix(columns, rows) => format!("mat{columns}x{rows}<f32>"),
            Shape::Struct(of) => of.name.clone(),
        }
    }

    /// Every scalar and vector in it; `base` is a place of this shape.
    pub(crate) fn places(&self, base: &Place) -> Vec<Place> {
        match self {
            Shape::Plain(ty) => vec![Place { ty: *ty, ..base.clone() }],
            Shape::Array(ty, count) => vec![base.clone().index(*count, *ty)],
            Shape::Matrix(columns, rows) => {
                let column = base.clone().index(u32::from(*columns), Ty::new(Scalar::F32, *rows));
                let component = Place { pointable: false, ..column.clone() };
                vec![column, component.index(u32::from(*rows), Ty::of(Scalar::F32))]
            }
            Shape::Struct(of) => of
                .members
                .iter()
                .flat_map(|(name, shape)| shape.places(&base.clone().member(name, base.ty)))
                .collect(),
        }
    }

    /// Alignment and size in bytes in the storage address space.
    pub(crate) fn layout(&self) -> (u32, u32) {
        match self {
            Shape::Plain(ty) => vector_layout(*ty),
            Shape::Array(ty, count) => {
                let (align, size) = vector_layout(*ty);
                (align, size.next_multiple_of(align) * count)
            }
            Shape::Matrix(columns, rows) => {
                let (align, size) = vector_layout(Ty::new(Scalar::F32, *rows));
                (align, size.next_multiple_of(align) * u32::from(*columns))
            }
            Shape::Struct(of) => {
                let (mut align, mut end) = (4, 0u32);
                for (_, shape) in &of.members {
                    let (a, size) = shape.layout();
                    end = end.next_multiple_of(a) + size;
                    align = align.max(a);
                }
                (align, end.next_multiple_of(align))
            }
        }
    }
}

fn vector_layout(ty: Ty) -> (u32, u32) {
    let bytes = match ty.scalar {
        Scalar::F16 => 2,
        Scalar::F64 | Scalar::I64 | Scalar::U64 => 8,
        Scalar::Bool | Scalar::I32 | Scalar::U32 | Scalar::F32 => 4,
    };
    let width = u32::from(ty.width);
    (bytes * if width == 3 { 4 } else { width }, bytes * width)
}

impl Author {
    /// A shape without `bool`s, so that bindings may have it.
    pub(crate) fn shape(&mut self) -> Shape {
        let ty = self.shared_ty();
        match self.dice.roll(10) {
            0..=5 => Shape::Plain(ty),
            6 | 7 => Shape::Array(ty, 1 + self.dice.roll(9)),
            // Matrices hold anything that their columns are assigned.
            8 if self.profile != Profile::Small => {
                Shape::Matrix(2 + self.dice.roll(3) as u8, 2 + self.dice.roll(3) as u8)
            }
            _ => Shape::Plain(ty),
        }
    }

    /// Declares a structure.
    pub(crate) fn structure(&mut self, name: &str) -> Struct {
        self.line(format!("struct {name} {{"));
        let count = 1 + self.dice.roll(5);
        let members = (0..count).map(|n| (format!("m{n}"), self.shape())).collect::<Vec<_>>();
        for (name, shape) in &members {
            self.line(format!("{name}: {},", shape.name()));
        }
        self.line("}");
        Struct { name: name.to_owned(), members }
    }

    /// A local variable with parts.
    pub(crate) fn declare_memory(&mut self, name: &str) {
        let shape = if self.dice.chance(30) {
            self.structures.first().cloned().map_or(Shape::Array(Ty::U32, 4), Shape::Struct)
        } else {
            match self.shape() {
                Shape::Plain(ty) => Shape::Array(ty, 1 + self.dice.roll(7)),
                shape => shape,
            }
        };
        let base = Place::variable(name, Ty::U32);
        match &shape {
            Shape::Array(ty, count) if self.dice.chance(40) => {
                let ty = *ty;
                let values: Vec<_> = (0..*count).map(|_| self.expression(ty, 1)).collect();
                let values: Vec<_> = values.into_iter().map(|value| self.tamed(ty, value)).collect();
                self.line(format!("var {name} = {}({});", shape.name(), values.join(", ")));
            }
            _ => self.line(format!("var {name}: {};", shape.name())),
        }
        let places = shape.places(&base);
        self.places.extend(places);
    }
}
