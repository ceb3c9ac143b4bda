//! Barriers: whether everyone is there.
//!
//! In lockstep nothing has to wait. Invocations that have returned from the kernel are not missed.

use super::Run;
use crate::fault::Fault;
use crate::mask::Mask;
use crate::step::Address;
use naga::Span;

impl Run<'_> {
    /// Lanes that the entry point has not let go.
    fn running(&mut self) -> Mask {
        let mut running = self.masks.take();
        running.copy_from(&self.masks.taking_part);
        if let Some(done) = self.masks.returned.first() {
            running.remove(done);
        }
        running
    }

    pub(super) fn barrier(&mut self, span: Span, mask: &Mask) -> Result<(), Fault> {
        if mask.active() == self.program.lanes {
            return Ok(());
        }
        let running = self.running();
        let count = running.active();
        self.masks.give(running);
        // The mask is always a part of the running lanes.
        if mask.active() == count { Ok(()) } else { Err(self.divergent(span, mask.active(), count)) }
    }

    pub(super) fn subgroup_barrier(&mut self, span: Span, mask: &Mask) -> Result<(), Fault> {
        let size = self.launch.subgroup_size as usize;
        let running = self.running();
        for (here, all) in mask.lanes().chunks(size).zip(running.lanes().chunks(size)) {
            let count = |lanes: &[u32]| lanes.iter().filter(|&&lane| lane != 0).count();
            let (reached, running) = (count(here), count(all));
            if reached != 0 && reached != running {
                return Err(self.divergent(span, reached, running));
            }
        }
        self.masks.give(running);
        Ok(())
    }

    /// The pointer of a uniform load is the same for everyone.
    pub(super) fn check_uniform(&self, address: Address, span: Span, mask: &Mask) -> Result<(), Fault> {
        if self.uniform(address, mask) {
            return Ok(());
        }
        Err(Fault::NonUniformLoad {
            location: self.program.kernel.locate(span),
            kernel: self.entry_name(),
            workgroup: self.workgroup,
        })
    }

    fn divergent(&self, span: Span, reached: usize, running: usize) -> Fault {
        Fault::DivergentBarrier {
            location: self.program.kernel.locate(span),
            kernel: self.entry_name(),
            workgroup: self.workgroup,
            reached,
            running,
        }
    }
}
