//! Whoever can run a problem, and those who do it by a Rust function on host memory.
//!
//! Knows no clock and no order of turns.

use warpweft_problems::{Problem, Words};

/// Runs one problem, again and again.
pub trait Rival {
    /// Sets every array to its initial content.
    ///
    /// # Errors
    /// What failed.
    fn reset(&mut self) -> Result<(), String>;

    /// Runs the problem once, and returns when it is done: this is what is timed.
    ///
    /// # Errors
    /// What failed.
    fn run(&mut self) -> Result<(), String>;

    /// What is in the problem's outputs, in their order.
    ///
    /// # Errors
    /// What failed.
    fn results(&mut self) -> Result<Vec<Words>, String>;
}

/// Runs a problem on host memory: reads its arrays, and writes the outputs that it is given.
pub type Function = fn(&Problem, &mut [Words]);

/// A [`Function`] with outputs of its own; inputs are the problem's.
pub struct Host<'p> {
    problem: &'p Problem,
    outputs: Vec<Words>,
    function: Function,
}

impl<'p> Host<'p> {
    /// With fresh outputs.
    pub fn new(problem: &'p Problem, function: Function) -> Self {
        let content = |output: &warpweft_problems::Output| problem.arrays[output.array].1.clone();
        Self { problem, outputs: problem.outputs.iter().map(content).collect(), function }
    }
}

impl Rival for Host<'_> {
    fn reset(&mut self) -> Result<(), String> {
        for (output, words) in self.problem.outputs.iter().zip(&mut self.outputs) {
            words.clone_from(&self.problem.arrays[output.array].1);
        }
        Ok(())
    }

    fn run(&mut self) -> Result<(), String> {
        (self.function)(self.problem, &mut self.outputs);
        Ok(())
    }

    fn results(&mut self) -> Result<Vec<Words>, String> {
        Ok(self.outputs.clone())
    }
}
