//! Control flow: blocks, branches, switches and loops as nested steps.
//!
//! Values live as long as the block that computes them. Decoding recurses as deep as blocks nest, so whatever needs
//! room on the stack is elsewhere.

use super::function::FunctionDecoder;
use crate::fault::Unsupported;
use crate::step::{Case, Exits, Step};
use naga::{Block, Expression, Handle, Statement, SwitchCase, SwitchValue};

impl<'a> FunctionDecoder<'_, 'a> {
    /// A block; its values are gone afterwards.
    pub(super) fn block(&mut self, block: &'a Block) -> Result<Vec<Step>, Unsupported> {
        let top = self.top;
        let steps = self.open_block(block)?;
        self.top = top;
        Ok(steps)
    }

    /// A block whose values stay.
    fn open_block(&mut self, block: &'a Block) -> Result<Vec<Step>, Unsupported> {
        let mut steps = Vec::new();
        for (statement, &span) in block.span_iter() {
            match *statement {
                Statement::Block(ref block) => steps.append(&mut self.block(block)?),
                Statement::If { condition, ref accept, ref reject } => {
                    steps.push(self.branch(condition, accept, reject)?);
                }
                Statement::Switch { selector, ref cases } => steps.push(self.switch(selector, cases)?),
                Statement::Loop { ref body, ref continuing, break_if } => {
                    steps.push(self.repeat(body, continuing, break_if)?);
                }
                _ => self.statement(statement, span, &mut steps)?,
            }
        }
        Ok(steps)
    }

    fn branch(
        &mut self,
        condition: Handle<Expression>,
        accept: &'a Block,
        reject: &'a Block,
    ) -> Result<Step, Unsupported> {
        let condition = self.slot(condition)?;
        let (accept, reject) = (self.block(accept)?, self.block(reject)?);
        Ok(Step::If { condition, accept, reject })
    }

    fn switch(&mut self, selector: Handle<Expression>, cases: &'a [SwitchCase]) -> Result<Step, Unsupported> {
        let outside = std::mem::take(&mut self.exits);
        let selector = self.slot(selector)?;
        let mut decoded = Vec::new();
        for case in cases {
            let value = match case.value {
                SwitchValue::I32(value) => Some(value as u32),
                SwitchValue::U32(value) => Some(value),
                SwitchValue::Default => None,
            };
            let body = self.block(&case.body)?;
            decoded.push(Case { value, body, fall_through: case.fall_through });
        }
        let exits = self.exits;
        self.exits.returns |= outside.returns;
        self.exits.continues |= outside.continues;
        Ok(Step::Switch { selector, cases: decoded, exits })
    }

    fn repeat(
        &mut self,
        body: &'a Block,
        continuing: &'a Block,
        break_if: Option<Handle<Expression>>,
    ) -> Result<Step, Unsupported> {
        let outside = std::mem::take(&mut self.exits);
        let top = self.top;
        // The continuing block and the condition see the values of the body.
        let (body, continuing) = (self.open_block(body)?, self.open_block(continuing)?);
        let break_if = break_if.map(|condition| self.slot(condition)).transpose()?;
        self.top = top;
        let exits = self.exits;
        self.exits = Exits { returns: exits.returns | outside.returns, ..outside };
        Ok(Step::Loop { body, continuing, break_if, exits })
    }
}
