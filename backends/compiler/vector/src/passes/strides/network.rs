//! Which lanes to bring together, two vectors at a time, to part elements that follow each other in memory into one vector
//! for each place in their period, or to weave such vectors into what follows each other.
//!
//! A stage takes vectors in pairs and tells their elements apart by one bit of their places in the period, so that a period
//! of two, four or eight needs no more shuffles than a transposition does. What remains of a period then, 3, 5 or 7, is put
//! together vector by vector. Any bit can be first while elements stay in order, every other of two vectors; that is a
//! shuffle of any lanes to a machine, which needs their numbers in a register. Where registers hold whole periods of 32 bytes
//! or more, the bits that lie within 16 bytes come first, by shuffles within 16 bytes that machines have names for: the lower
//! halves of two registers in turn, or the upper ones. (Unless few places are asked for, which differ by those bits: that
//! would be more shuffles.)
//!
//! ```text
//! 0 1 2 3 | 4 5 6 7           0 8 1 9 | 4 12 5 13            0 8 16 24 | 4 12 20 28           0 8 16 24 | 32 …
//! 8 9 …   | 12 …       →      2 10 3 11 | 6 …         →      1 9 17 25 | 5 …           →      4 12 20 28 | 36 …
//! 16 …    | 20 …              16 24 17 25 | 20 …             2 10 …    | 6 …                  1 9 …
//! ```
//!
//! Knows elements by their periods and places, and lanes; no values, no instructions.

/// An element of the next period has a number so much higher: places are the lowest bits of numbers.
const APART: usize = 8;

/// As many elements as eight vectors of 64 lanes have.
const MOST: usize = 64 * APART;

/// Vectors of that many lanes, whose elements repeat after so many.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) lanes: usize,
    /// Elements of a period.
    pub(super) stride: usize,
    /// Bytes of an element.
    pub(super) size: usize,
    /// Bytes of a machine's vector register.
    pub(super) register: usize,
}

/// What gives a shuffle of two vectors by numbers of lanes, those of the second behind those of the first; the last of its
/// arguments says that it is what was asked for, and no step on the way.
pub(super) type Make<'a, V> = dyn FnMut([V; 2], Box<[u8]>, bool) -> V + 'a;

/// One halving of what vectors hold of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stage {
    /// The bit of places in a period by which elements are told apart.
    bit: usize,
    /// Within two registers: how many elements of one come before the other's turn. `None`: in order, from two vectors.
    turn: Option<usize>,
}

/// Whose turns the stages within 16 bytes take.
#[derive(Clone, Copy)]
enum Way {
    Parting,
    Weaving,
}

impl Shape {
    /// Stages in which elements stay in order, from a bit on.
    fn in_order(self, first: usize) -> impl Iterator<Item = Stage> {
        (first..self.stride.trailing_zeros() as usize).map(|bit| Stage { bit, turn: None })
    }

    /// Stages of which those within 16 bytes come first, where registers are such.
    fn within_pieces(self, way: Way) -> Option<Vec<Stage>> {
        let period = self.stride * self.size;
        if !period.is_power_of_two() || !(32..=self.register).contains(&period) {
            return None;
        }
        let piece = 16 / self.size;
        let inner = piece.ilog2() as usize;
        let turn = |at| match way {
            Way::Parting => 1usize << at,
            Way::Weaving => piece / 2,
        };
        let within = (0..inner).map(|at| Stage { bit: inner - 1 - at, turn: Some(turn(at)) });
        Some(within.chain(self.in_order(inner)).collect())
    }

    /// How many shuffles the stages are for what is asked for.
    fn shuffles(self, stages: &[Stage], places: &[usize]) -> usize {
        let (mut bits, mut apart, mut shuffles) = (0, self.stride, 0);
        for stage in stages {
            bits |= 1 << stage.bit;
            apart /= 2;
            let ways = places.iter().fold(0u32, |ways, place| ways | 1 << (place & bits));
            shuffles += ways.count_ones() as usize * apart;
        }
        shuffles
    }

    /// Those elements of two vectors that have a bit of their places, or have it not.
    fn half(self, stage: Stage, [a, b]: [&[u16]; 2], bit: usize) -> Vec<u16> {
        let own = |&element: &u16| usize::from(element) >> stage.bit & 1 == bit;
        let mut half = Vec::with_capacity(self.lanes);
        let Some(turn) = stage.turn else {
            half.extend(a.iter().chain(b).copied().filter(own));
            half.sort_unstable();
            return half;
        };
        let all = [a, b].concat();
        let lanes = self.lanes.min(self.register / self.size);
        for pair in all.chunks(2 * lanes) {
            let (first, second) = pair.split_at(lanes);
            let mut first = first.iter().copied().filter(own);
            let mut second = second.iter().copied().filter(own);
            for _ in 0..lanes / (2 * turn) {
                half.extend(first.by_ref().take(turn));
                half.extend(second.by_ref().take(turn));
            }
        }
        half
    }

    /// Elements at one place of all periods.
    fn column(self, place: usize) -> Vec<u16> {
        (0..self.lanes).map(|period| (period * APART + place) as u16).collect()
    }

    /// All elements, as they follow each other in memory.
    fn elements(self) -> Vec<u16> {
        let mut elements = Vec::with_capacity(self.lanes * self.stride);
        for period in 0..self.lanes {
            elements.extend((0..self.stride).map(|place| (period * APART + place) as u16));
        }
        elements
    }
}

/// A vector, and what it holds.
#[derive(Clone, Debug)]
struct Held<V> {
    vector: V,
    /// By lane, but for `up`.
    elements: Vec<u16>,
    /// Elements are so many lanes further up, and the last ones nowhere.
    up: usize,
}

/// Elements as they follow each other in memory, being parted.
#[derive(Debug)]
pub(super) struct Parting<V> {
    shape: Shape,
    stages: Vec<Stage>,
    parted: Vec<Parted<V>>,
}

/// What some stages left.
#[derive(Debug)]
struct Parted<V> {
    /// How many there were, and what the bits are that they asked for.
    by: (usize, usize),
    held: Vec<Held<V>>,
}

impl<V: Copy> Parting<V> {
    /// Vectors of all elements, as many as elements are in a period; the last one starts `less` elements before its turn, and
    /// nobody asks for what it lacks. These are the places that will be asked for.
    pub(super) fn new(shape: Shape, vectors: Vec<V>, less: usize, places: &[usize]) -> Self {
        let all = shape.elements();
        let mut held: Vec<_> = vectors
            .into_iter()
            .zip(all.chunks(shape.lanes))
            .map(|(vector, elements)| Held { vector, elements: elements.to_vec(), up: 0 })
            .collect();
        if let Some(last) = held.last_mut() {
            last.up = less;
        }
        let mut stages: Vec<Stage> = shape.in_order(0).collect();
        if let Some(within) = shape.within_pieces(Way::Parting)
            && shape.shuffles(&within, places) <= shape.shuffles(&stages, places)
        {
            stages = within;
        }
        Self { shape, stages, parted: vec![Parted { by: (0, 0), held }] }
    }

    /// The elements at one place of all periods.
    pub(super) fn member(&mut self, place: usize, make: &mut Make<V>) -> V {
        let (mut known, mut apart, mut bits) = (0, self.shape.stride, 0);
        for at in 0..self.stages.len() {
            let stage = self.stages[at];
            bits |= 1 << stage.bit;
            apart /= 2;
            let by = (at + 1, place & bits);
            known = match self.parted.iter().position(|parted| parted.by == by) {
                Some(known) => known,
                None => {
                    let before = &self.parted[known].held;
                    let held = before
                        .chunks(2)
                        .map(|pair| {
                            let both = [&pair[0], &pair[1]];
                            let elements = both.map(|held| &held.elements[..]);
                            let half = self.shape.half(stage, elements, place >> stage.bit & 1);
                            let numbers = numbers(both, &half);
                            let vector = make(both.map(|held| held.vector), numbers, apart == 1);
                            Held { vector, elements: half, up: 0 }
                        })
                        .collect();
                    self.parted.push(Parted { by, held });
                    self.parted.len() - 1
                }
            };
        }
        gathered(&self.parted[known].held, &self.shape.column(place), make)
    }
}

/// Vectors of the elements as they follow each other in memory, from one for each place in the period.
pub(super) fn woven<V: Copy>(shape: Shape, columns: &[V], make: &mut Make<V>) -> Vec<V> {
    let wanted = shape.elements().chunks(shape.lanes).map(<[u16]>::to_vec).collect();
    let stages = shape.within_pieces(Way::Weaving).unwrap_or_else(|| shape.in_order(0).collect());
    weave(shape, &stages, [1, 0], columns, wanted, make)
}

/// Vectors that hold what is wanted, of the elements at every `apart`th place from the `first` on.
fn weave<V: Copy>(
    shape: Shape,
    stages: &[Stage],
    [apart, first]: [usize; 2],
    columns: &[V],
    wanted: Vec<Vec<u16>>,
    make: &mut Make<V>,
) -> Vec<V> {
    let Some((&stage, rest)) = stages.split_first() else {
        let column = |place: usize| Held { vector: columns[place], elements: shape.column(place), up: 0 };
        let held: Vec<_> = (first..shape.stride).step_by(apart).map(column).collect();
        return wanted.iter().map(|wanted| gathered(&held, wanted, make)).collect();
    };
    let mut half = |bit: usize| {
        let elements: Vec<Vec<u16>> =
            wanted.chunks(2).map(|pair| shape.half(stage, [&pair[0], &pair[1]], bit)).collect();
        let ways = [2 * apart, first | bit << stage.bit];
        let vectors = weave(shape, rest, ways, columns, elements.clone(), make);
        let held = vectors.into_iter().zip(elements);
        held.map(|(vector, elements)| Held { vector, elements, up: 0 }).collect::<Vec<_>>()
    };
    let (without, with) = (half(0), half(1));
    let mut woven = Vec::with_capacity(wanted.len());
    for (at, wanted) in wanted.iter().enumerate() {
        let both = [&without[at / 2], &with[at / 2]];
        woven.push(make(both.map(|held| held.vector), numbers(both, wanted), apart == 1));
    }
    woven
}

/// What is wanted, brought together vector by vector.
fn gathered<V: Copy>(from: &[Held<V>], wanted: &[u16], make: &mut Make<V>) -> V {
    let [whole, rest @ ..] = from else { unreachable!("a period has places") };
    let mut whole = Held { elements: vec![], ..*whole };
    for (at, next) in rest.iter().enumerate() {
        // The first step puts the first vector's lanes into their places too.
        let before = if at == 0 { &from[0] } else { &whole };
        let numbers = numbers([before, next], wanted);
        let vector = make([before.vector, next.vector], numbers, at + 1 == rest.len());
        whole = Held { vector, elements: wanted.to_vec(), up: 0 };
    }
    whole.vector
}

/// Where what is wanted lies in two vectors, by lane. What is in neither is as good as what stands there.
fn numbers<V>(from: [&Held<V>; 2], wanted: &[u16]) -> Box<[u8]> {
    let lanes = wanted.len();
    let mut places = [u8::MAX; MOST];
    for (held, start) in from.into_iter().zip([0, lanes]) {
        for (lane, &element) in (held.up..lanes).zip(&held.elements) {
            places[usize::from(element)] = (start + lane) as u8;
        }
    }
    let place = |(lane, &element): (usize, &u16)| match places[usize::from(element)] {
        u8::MAX => lane as u8,
        place => place,
    };
    wanted.iter().enumerate().map(place).collect()
}
