//! The right result, and how near to it is right.

use crate::Words;

/// What an array must hold, and how exactly.
#[derive(Clone, Debug)]
pub enum Expected {
    /// These very words.
    Exactly(Words),
    /// Floats; each may be off by that part of the largest magnitude among them.
    Near(Vec<f32>, f32),
    /// Integers; so many in a thousand may differ (pixels on the very edge of a set, where products and sums are fused).
    Mostly(Vec<u32>, usize),
}

impl Expected {
    /// Whether a result is right.
    ///
    /// # Errors
    /// What is wrong first.
    pub fn judge(&self, result: &Words) -> Result<(), String> {
        let expected = match self {
            Expected::Exactly(words) => words.len(),
            Expected::Near(floats, _) => floats.len(),
            Expected::Mostly(integers, _) => integers.len(),
        };
        if expected != result.len() {
            return Err(format!("{} elements of {expected}", result.len()));
        }
        match (self, result) {
            (Expected::Exactly(Words::U32(right)), Words::U32(found)) => differing(right, found),
            (Expected::Exactly(Words::F32(right)), Words::F32(found)) => differing(right, found),
            (Expected::Near(right, part), Words::F32(found)) => {
                let scale = right.iter().fold(0.0f32, |max, x| max.max(x.abs()));
                let allowed = part * scale;
                // A NaN is within no distance.
                let near = |right: f32, found: f32| (right - found).abs() <= allowed;
                match right.iter().zip(found).position(|(&r, &f)| !near(r, f)) {
                    Some(at) => {
                        Err(format!("element {at} is {}, not {} (± {allowed:e})", found[at], right[at]))
                    }
                    None => Ok(()),
                }
            }
            (Expected::Mostly(right, per_thousand), Words::U32(found)) => {
                let wrong = right.iter().zip(found).filter(|(r, f)| r != f).count();
                match wrong * 1000 > per_thousand * right.len() {
                    true => Err(format!("{wrong} of {} elements differ", right.len())),
                    false => Ok(()),
                }
            }
            _ => Err("elements of another type".into()),
        }
    }
}

fn differing<T: PartialEq + std::fmt::Display>(right: &[T], found: &[T]) -> Result<(), String> {
    match right.iter().zip(found).position(|(r, f)| r != f) {
        Some(at) => Err(format!("element {at} is {}, not {}", found[at], right[at])),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_refused() {
        let near = Expected::Near(vec![1.0, -100.0], 1e-3);
        assert_eq!(near.judge(&Words::F32(vec![1.09, -99.91])), Ok(()));
        for wrong in [vec![1.11, -100.0], vec![1.0, f32::NAN], vec![1.0]] {
            assert!(near.judge(&Words::F32(wrong)).is_err());
        }
        let exactly = Expected::Exactly(Words::U32(vec![1, 2]));
        assert_eq!(exactly.judge(&Words::U32(vec![1, 2])), Ok(()));
        assert!(exactly.judge(&Words::U32(vec![1, 3])).unwrap_err().contains("element 1 is 3, not 2"));
        assert!(exactly.judge(&Words::F32(vec![1.0, 2.0])).is_err());
        let mostly = Expected::Mostly(vec![7; 1000], 5);
        let mut found = vec![7; 1000];
        found[..5].fill(8);
        assert_eq!(mostly.judge(&Words::U32(found.clone())), Ok(()));
        found[5] = 8;
        assert!(mostly.judge(&Words::U32(found)).is_err());
    }
}
