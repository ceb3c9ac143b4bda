//! Switches: cases that run the same statements, compared one group after the other.
//!
//! Knows nothing of what the bodies hold.

use super::Builder;
use crate::ir::{Binary, Compare, Value};
use crate::unsupported::Unsupported;
use naga::{Expression, Handle, SwitchCase, SwitchValue};

/// Switches of more cases are no chain of `else`, but compare one case after the other.
const MOST_NESTED_CASES: usize = 16;

impl<'a> Builder<'a> {
    pub(super) fn switch(
        &mut self,
        selector: Handle<Expression>,
        cases: &'a [SwitchCase],
    ) -> Result<(), Unsupported> {
        let selector = self.scalar(selector)?;
        let target = self.open_block(Vec::new());
        self.frame.breaks.push(target);
        let groups = groups(cases);
        if let Some(known) = self.known(selector) {
            let chosen = groups.iter().find(|group| group.values.contains(&(known as u32)));
            if let Some(group) = chosen.or_else(|| groups.iter().find(|group| group.default)) {
                self.bodies(group.bodies)?;
            }
        } else {
            self.cases(selector, &groups, target)?;
        }
        self.frame.breaks.pop();
        self.close_block();
        Ok(())
    }

    fn bodies(&mut self, cases: &'a [SwitchCase]) -> Result<(), Unsupported> {
        cases.iter().try_for_each(|case| self.block(&case.body))
    }

    /// Compares with one group of cases after the other; the default comes last.
    fn cases(&mut self, selector: Value, groups: &[Group<'a>], target: usize) -> Result<(), Unsupported> {
        let count = groups.iter().filter(|group| !group.default).count();
        if count > MOST_NESTED_CASES {
            for group in groups.iter().filter(|group| !group.default) {
                let condition = self.one_of(selector, &group.values);
                let before = self.slots.clone();
                let then = self.arm(&mut |this| {
                    this.bodies(group.bodies)?;
                    if this.live {
                        this.branch_to(target);
                    }
                    Ok(())
                })?;
                self.slots.clone_from(&before);
                let otherwise = self.arm(&mut |_| Ok(()))?;
                self.meet(condition, &before, then, otherwise);
            }
            return match groups.iter().find(|group| group.default) {
                Some(group) => self.bodies(group.bodies),
                None => Ok(()),
            };
        }
        let mut chain: Vec<&Group<'a>> = groups.iter().filter(|group| !group.default).collect();
        chain.reverse();
        let default = groups.iter().find(|group| group.default);
        self.chain(selector, &mut chain, default)
    }

    /// A chain of `else`; the cases are taken from the end of the list.
    fn chain(
        &mut self,
        selector: Value,
        rest: &mut Vec<&Group<'a>>,
        default: Option<&Group<'a>>,
    ) -> Result<(), Unsupported> {
        let Some(group) = rest.pop() else {
            return match default {
                Some(group) => self.bodies(group.bodies),
                None => Ok(()),
            };
        };
        let mark = self.mark;
        let condition = self.one_of(selector, &group.values);
        let before = self.slots.clone();
        let then = self.arm(&mut |this| this.bodies(group.bodies))?;
        self.slots.clone_from(&before);
        let otherwise = self.arm(&mut |this| this.chain(selector, rest, default))?;
        self.mark = mark;
        self.meet(condition, &before, then, otherwise);
        Ok(())
    }

    fn one_of(&mut self, selector: Value, values: &[u32]) -> Value {
        let ty = self.ty(selector);
        let mut any = self.bool(false);
        for &value in values {
            let value = self.constant(ty, value.into());
            let here = self.compare(Compare::Equal, selector, value);
            any = self.binary(Binary::Or, any, here);
        }
        any
    }
}

/// Cases that run the same statements.
struct Group<'a> {
    values: Vec<u32>,
    default: bool,
    /// The bodies to run, one after the other.
    bodies: &'a [SwitchCase],
}

fn groups(cases: &[SwitchCase]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut fresh = true;
    for (n, case) in cases.iter().enumerate() {
        if fresh {
            let length =
                cases[n..].iter().position(|case| !case.fall_through).map_or(cases.len() - n, |end| end + 1);
            groups.push(Group { values: Vec::new(), default: false, bodies: &cases[n..n + length] });
        }
        if let Some(group) = groups.last_mut() {
            match case.value {
                SwitchValue::I32(value) => group.values.push(value as u32),
                SwitchValue::U32(value) => group.values.push(value),
                SwitchValue::Default => group.default = true,
            }
        }
        // A case with statements that falls through shares only what follows.
        fresh = !case.fall_through || !case.body.is_empty();
    }
    groups
}
