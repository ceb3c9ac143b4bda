//! What a user holds: typed buffers, views of parts of them, and buffers whose element type is known at run time.
//!
//! Knows nothing of kernels: a launch sees any of them as a [`Bound`].

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Bound as End, Range, RangeBounds};
use std::sync::Arc;

use bytemuck::Pod;
use warpweft_hal::HostBlock;

use super::snapshot::{PendingSnapshot, Snapshot};
use super::store::StoreKey;
use crate::element::ElementType;
use crate::runtime::Inner;
use crate::{Error, Result};

/// Keeps a store in the ledger, and the runtime alive.
pub(crate) struct Handle {
    pub(crate) runtime: Arc<Inner>,
    pub(crate) key: StoreKey,
}

impl Drop for Handle {
    fn drop(&mut self) {
        let store = self.runtime.ledger.lock().stores.try_remove(self.key);
        // Device memory is given back outside of the lock.
        drop(store);
    }
}

/// A logical array of `T` that is wherever it is needed.
///
/// Made by [`Runtime::buffer`](crate::Runtime::buffer), [`array`](crate::Runtime::array),
/// [`zeros`](crate::Runtime::zeros) or [`scratch`](crate::Runtime::scratch). Clones are handles to the same buffer.
/// Buffers keep their runtime alive.
pub struct Buffer<T> {
    pub(crate) part: Part,
    elements: PhantomData<fn() -> T>,
}

/// A range of the elements of a [`Buffer`], to be bound or read like one.
pub struct View<T> {
    pub(crate) part: Part,
    elements: PhantomData<fn() -> T>,
}

/// A buffer, or view of one, whose element type is known at run time only.
#[derive(Clone)]
pub struct AnyBuffer {
    pub(crate) part: Part,
}

/// A part of a store, its element type and its shape: what a launch sees of whatever is bound.
#[derive(Clone)]
pub(crate) struct Part {
    pub(crate) handle: Arc<Handle>,
    pub(crate) element: ElementType,
    /// The first byte.
    pub(crate) offset: u64,
    /// Bytes of the elements; the words that they lie in may be a little more.
    pub(crate) bytes: u64,
    pub(crate) shape: Vec<usize>,
    /// It is the whole buffer.
    pub(crate) whole: bool,
}

/// What a launch sees of what is bound.
pub struct Bound(pub(crate) Part);

/// What can be bound to a kernel: [`Buffer`], [`View`], [`AnyBuffer`].
pub trait Bindable: sealed::Sealed {
    /// What a launch sees.
    fn bound(&self) -> Bound;
}

mod sealed {
    pub trait Sealed {}
    impl<T> Sealed for super::Buffer<T> {}
    impl<T> Sealed for super::View<T> {}
    impl Sealed for super::AnyBuffer {}
}

impl Part {
    /// The words that the bytes lie in.
    pub(crate) fn words(&self) -> Range<u64> {
        self.offset / 4..(self.offset + self.bytes).div_ceil(4)
    }

    pub(crate) fn read_later(&self) -> Result<PendingSnapshot> {
        self.handle.runtime.read(
            self.handle.key,
            self.words(),
            self.offset..self.offset + self.bytes,
            &self.shape,
        )
    }

    fn write(&self, data: &[u8]) -> Result<()> {
        if data.len() as u64 != self.bytes {
            return Err(Error::Buffer(format!(
                "{} bytes cannot be written to {} bytes: the lengths must be equal",
                data.len(),
                self.bytes
            )));
        }
        self.handle.runtime.write(self.handle.key, self.words(), self.whole, data)
    }
}

impl<T: Pod> Buffer<T> {
    pub(crate) fn new(handle: Handle, len: usize, shape: Vec<usize>) -> Self {
        let element = ElementType::of::<T>();
        let bytes = len as u64 * u64::from(element.size);
        let part = Part { handle: Arc::new(handle), element, offset: 0, bytes, shape, whole: true };
        Self { part, elements: PhantomData }
    }

    /// Elements in all.
    pub fn len(&self) -> usize {
        elements(&self.part)
    }

    /// The buffer has no elements.
    pub fn is_empty(&self) -> bool {
        self.part.bytes == 0
    }

    /// The shape, as numpy has it: the last axis varies fastest and is the grid's x.
    pub fn shape(&self) -> &[usize] {
        &self.part.shape
    }

    /// The elements as they are once all launches submitted so far have run.
    ///
    /// Waits for the launches that write the buffer, moves what the host lacks, and copies nothing where the data
    /// is in host memory. Later launches do not change what was read.
    ///
    /// # Errors
    /// When a launch that should have written the buffer failed, the data was lost with a device, host memory is
    /// short, or the buffer is a [scratch](crate::Runtime::scratch) buffer.
    pub fn read(&self) -> Result<Snapshot<T>> {
        self.part.read_later()?.wait()
    }

    /// Replaces all elements.
    ///
    /// # Errors
    /// When `data` is not as long as the buffer, or host memory is short.
    pub fn write(&self, data: &[T]) -> Result<()> {
        self.part.write(bytemuck::cast_slice(data))
    }

    /// Declares the present content worthless: the next launch that writes the buffer need not bring it.
    ///
    /// Until they are written, the elements are undefined.
    pub fn write_discard(&self) {
        let mut ledger = self.part.handle.runtime.ledger.lock();
        ledger.stores[self.part.handle.key].discard(&self.part.words());
    }

    /// A part of the buffer, from element to element.
    ///
    /// # Errors
    /// When the range leaves the buffer, or a part of 2-byte elements does not start at a multiple of 4 bytes or
    /// ends between such, other than at the buffer's end.
    pub fn view(&self, range: impl RangeBounds<usize>) -> Result<View<T>> {
        let range = within(range, self.len())?;
        let size = u64::from(self.part.element.size);
        let (offset, end) = (range.start as u64 * size, range.end as u64 * size);
        if range.len() == self.len() {
            return Ok(View { part: self.part.clone(), elements: PhantomData });
        }
        if offset % 4 != 0 || (end % 4 != 0 && end != self.part.bytes) {
            return Err(Error::Buffer(format!(
                "the view {range:?} of {size}-byte elements does not lie at whole 4-byte words: start and end at \
                 multiples of {} elements",
                4 / size
            )));
        }
        let mut part = self.part.clone();
        (part.offset, part.bytes, part.shape, part.whole) = (offset, end - offset, vec![range.len()], false);
        Ok(View { part, elements: PhantomData })
    }

    /// The same buffer, its element type known at run time only.
    pub fn erase(&self) -> AnyBuffer {
        AnyBuffer { part: self.part.clone() }
    }
}

impl<T: Pod> View<T> {
    /// Elements in all.
    pub fn len(&self) -> usize {
        elements(&self.part)
    }

    /// The view has no elements.
    pub fn is_empty(&self) -> bool {
        self.part.bytes == 0
    }

    /// The elements of the view, like [`Buffer::read`].
    ///
    /// # Errors
    /// As [`Buffer::read`].
    pub fn read(&self) -> Result<Snapshot<T>> {
        self.part.read_later()?.wait()
    }

    /// Replaces the elements of the view; waits for launches that use them.
    ///
    /// # Errors
    /// As [`Buffer::write`].
    pub fn write(&self, data: &[T]) -> Result<()> {
        self.part.write(bytemuck::cast_slice(data))
    }

    /// Gives the view another shape, for launches whose grid is the shape of what they write.
    ///
    /// # Errors
    /// When the shape has another number of elements.
    pub fn reshape(mut self, shape: impl Into<Vec<usize>>) -> Result<Self> {
        let shape = shape.into();
        check_shape(&shape, self.len())?;
        self.part.shape = shape;
        Ok(self)
    }
}

impl AnyBuffer {
    /// What is known of the elements.
    pub fn element(&self) -> ElementType {
        self.part.element
    }

    /// The shape, as numpy has it.
    pub fn shape(&self) -> &[usize] {
        &self.part.shape
    }

    /// The same bytes as elements of another type and shape: what a file holds, as the kernel declares it.
    ///
    /// # Errors
    /// When elements of that type in that shape would take another number of bytes.
    pub fn reinterpret(&self, element: ElementType, shape: impl Into<Vec<usize>>) -> Result<AnyBuffer> {
        let shape = shape.into();
        let size = u64::from(element.size);
        let bytes = shape.iter().try_fold(size, |bytes, &axis| bytes.checked_mul(axis as u64));
        if bytes != Some(self.part.bytes) {
            return Err(Error::Buffer(format!(
                "{} bytes are not elements of {size} bytes in the shape {shape:?}",
                self.part.bytes
            )));
        }
        let mut part = self.part.clone();
        (part.element, part.shape) = (element, shape);
        Ok(AnyBuffer { part })
    }

    /// The bytes of the elements, like [`Buffer::read`].
    ///
    /// # Errors
    /// As [`Buffer::read`].
    pub fn read_bytes(&self) -> Result<Snapshot<u8>> {
        self.part.read_later()?.wait()
    }

    /// Replaces all bytes.
    ///
    /// # Errors
    /// As [`Buffer::write`].
    pub fn write_bytes(&self, data: &[u8]) -> Result<()> {
        self.part.write(data)
    }
}

impl<T> Bindable for Buffer<T> {
    fn bound(&self) -> Bound {
        Bound(self.part.clone())
    }
}

impl<T> Bindable for View<T> {
    fn bound(&self) -> Bound {
        Bound(self.part.clone())
    }
}

impl Bindable for AnyBuffer {
    fn bound(&self) -> Bound {
        Bound(self.part.clone())
    }
}

impl<T> Clone for Buffer<T> {
    fn clone(&self) -> Self {
        Self { part: self.part.clone(), elements: PhantomData }
    }
}

impl<T> Clone for View<T> {
    fn clone(&self) -> Self {
        Self { part: self.part.clone(), elements: PhantomData }
    }
}

impl<T> fmt::Debug for Buffer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer<{}>{:?}", self.part.element.name, self.part.shape)
    }
}

impl<T> fmt::Debug for View<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "View<{}>{:?} at byte {}", self.part.element.name, self.part.shape, self.part.offset)
    }
}

impl fmt::Debug for AnyBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnyBuffer<{}>{:?}", self.part.element.name, self.part.shape)
    }
}

fn elements(part: &Part) -> usize {
    (part.bytes / u64::from(part.element.size.max(1))) as usize
}

/// Refuses a shape that does not have that many elements.
pub(crate) fn check_shape(shape: &[usize], len: usize) -> Result<()> {
    let product = shape.iter().try_fold(1usize, |product, &n| product.checked_mul(n));
    match product == Some(len) {
        true => Ok(()),
        false => {
            Err(Error::Buffer(format!("the shape {shape:?} does not have {len} elements, as the data does")))
        }
    }
}

fn within(range: impl RangeBounds<usize>, len: usize) -> Result<Range<usize>> {
    let start = match range.start_bound() {
        End::Included(&n) => n,
        End::Excluded(&n) => n.saturating_add(1),
        End::Unbounded => 0,
    };
    let end = match range.end_bound() {
        End::Included(&n) => n.saturating_add(1),
        End::Excluded(&n) => n,
        End::Unbounded => len,
    };
    match start <= end && end <= len {
        true => Ok(start..end),
        false if start > end => Err(Error::Buffer(format!("the view {start}..{end} ends before it starts"))),
        false => Err(Error::Buffer(format!("the view {start}..{end} leaves the buffer's {len} elements"))),
    }
}

/// A block of host memory with the elements of a vector.
pub(crate) fn block_of<T: Pod>(data: Vec<T>) -> Result<HostBlock> {
    let bytes = std::mem::size_of_val(&data[..]) as u64;
    HostBlock::from_vec(data).ok_or(Error::HostMemory { bytes })
}
