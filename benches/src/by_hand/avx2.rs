//! Loops of AVX2: one chunk each.
//!
//! Stores are aligned: elements before the first aligned one, and those after the last whole vector, are done one by one.

use std::arch::x86_64::*;

/// Elements of a vector.
const LANES: usize = 8;

/// Elements before the first that is aligned to a vector.
fn ahead(x: &[f32]) -> usize {
    x.as_ptr().align_offset(32).min(x.len())
}

/// # Safety
/// `to` is aligned and valid for a vector.
#[target_feature(enable = "avx2,fma")]
unsafe fn store<const STREAMING: bool>(to: *mut f32, x: __m256) {
    // SAFETY: the caller's promise.
    unsafe { if STREAMING { _mm256_stream_ps(to, x) } else { _mm256_store_ps(to, x) } }
}

/// Orders streaming stores before whatever tells others of them.
#[target_feature(enable = "sse")]
fn finish<const STREAMING: bool>() {
    if STREAMING {
        _mm_sfence();
    }
}

/// a = b + s c, for arrays of one length.
#[target_feature(enable = "avx2,fma")]
pub(super) fn triad<const STREAMING: bool>(a: &mut [f32], b: &[f32], c: &[f32], s: f32) {
    let (b, c) = (&b[..a.len()], &c[..a.len()]);
    let ahead = ahead(a);
    let whole = (a.len() - ahead) / LANES * LANES;
    let factor = _mm256_set1_ps(s);
    for i in (ahead..ahead + whole).step_by(LANES) {
        // SAFETY: a vector from i on lies within all three; i is aligned in a.
        unsafe {
            let (b, c) = (_mm256_loadu_ps(b.as_ptr().add(i)), _mm256_loadu_ps(c.as_ptr().add(i)));
            store::<STREAMING>(a.as_mut_ptr().add(i), _mm256_fmadd_ps(factor, c, b));
        }
    }
    (0..ahead).chain(ahead + whole..a.len()).for_each(|i| a[i] = s.mul_add(c[i], b[i]));
    finish::<STREAMING>();
}

/// y = a x + y, for arrays of one length.
#[target_feature(enable = "avx2,fma")]
pub(super) fn saxpy(y: &mut [f32], x: &[f32], a: f32) {
    let x = &x[..y.len()];
    let ahead = ahead(y);
    let whole = (y.len() - ahead) / LANES * LANES;
    let factor = _mm256_set1_ps(a);
    for i in (ahead..ahead + whole).step_by(LANES) {
        // SAFETY: a vector from i on lies within both; i is aligned in y.
        unsafe {
            let to = y.as_mut_ptr().add(i);
            let sum = _mm256_fmadd_ps(factor, _mm256_loadu_ps(x.as_ptr().add(i)), _mm256_load_ps(to));
            store::<false>(to, sum);
        }
    }
    (0..ahead).chain(ahead + whole..y.len()).for_each(|i| y[i] = a.mul_add(x[i], y[i]));
}

/// A row of the mean of four neighbours; rows of one length, their ends left alone.
#[target_feature(enable = "avx2,fma")]
pub(super) fn jacobi<const STREAMING: bool>(dst: &mut [f32], above: &[f32], here: &[f32], below: &[f32]) {
    let n = dst.len();
    let (above, here, below) = (&above[..n], &here[..n], &below[..n]);
    let mean = |i: usize| 0.25 * (here[i - 1] + here[i + 1] + above[i] + below[i]);
    let first = ahead(&dst[1..n - 1]) + 1;
    let whole = (n - 1 - first) / LANES * LANES;
    let quarter = _mm256_set1_ps(0.25);
    for i in (first..first + whole).step_by(LANES) {
        // SAFETY: i is at least 1, and a vector from i + 1 on lies within all rows; i is aligned in dst.
        unsafe {
            let load = |row: &[f32], i: usize| _mm256_loadu_ps(row.as_ptr().add(i));
            let sides = _mm256_add_ps(load(here, i - 1), load(here, i + 1));
            let sum = _mm256_add_ps(_mm256_add_ps(sides, load(above, i)), load(below, i));
            store::<STREAMING>(dst.as_mut_ptr().add(i), _mm256_mul_ps(quarter, sum));
        }
    }
    (1..first).chain(first + whole..n - 1).for_each(|i| dst[i] = mean(i));
    finish::<STREAMING>();
}

/// The sum of x, in eight vectors of partial sums.
#[target_feature(enable = "avx2,fma")]
pub(super) fn sum(x: &[f32]) -> f32 {
    const SUMS: usize = 8;
    let (blocks, rest) = x.as_chunks::<{ SUMS * LANES }>();
    let mut sums = [_mm256_setzero_ps(); SUMS];
    for block in blocks {
        for (at, sum) in sums.iter_mut().enumerate() {
            // SAFETY: the vector lies within the block.
            *sum = _mm256_add_ps(*sum, unsafe { _mm256_loadu_ps(block.as_ptr().add(at * LANES)) });
        }
    }
    let mut lanes = [0.0f32; LANES];
    let sum = sums.into_iter().fold(_mm256_setzero_ps(), |a, b| _mm256_add_ps(a, b));
    // SAFETY: there are as many lanes as a vector has.
    unsafe { _mm256_storeu_ps(lanes.as_mut_ptr(), sum) };
    lanes.iter().chain(rest).sum()
}

/// dst = src, for arrays of one length.
#[target_feature(enable = "avx2,fma")]
pub(super) fn copy<const STREAMING: bool>(dst: &mut [f32], src: &[f32]) {
    let src = &src[..dst.len()];
    let ahead = ahead(dst);
    let whole = (dst.len() - ahead) / LANES * LANES;
    for i in (ahead..ahead + whole).step_by(LANES) {
        // SAFETY: a vector from i on lies within both; i is aligned in dst.
        unsafe { store::<STREAMING>(dst.as_mut_ptr().add(i), _mm256_loadu_ps(src.as_ptr().add(i))) };
    }
    (0..ahead).chain(ahead + whole..dst.len()).for_each(|i| dst[i] = src[i]);
    finish::<STREAMING>();
}
