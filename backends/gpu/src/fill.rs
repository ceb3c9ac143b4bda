//! Filling memory with a word: wgpu itself only fills with zeros.
//!
//! Knows nothing of allocations: it is given buffers and ranges.

use crate::fault::Fault;

const SOURCE: &str = "
struct Fill { first: u32, count: u32, word: u32, row: u32 }
var<immediate> fill: Fill;
@group(0) @binding(0) var<storage, read_write> words: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.y * fill.row + id.x;
    if i < fill.count { words[fill.first + i] = fill.word; }
}";

/// Invocations of a row of workgroups: far below the limit of 65535 workgroups.
const ROW: u32 = 64 * 4096;

/// The kernel that fills.
pub(crate) struct Filler {
    pipeline: wgpu::ComputePipeline,
    layout: wgpu::BindGroupLayout,
    /// The largest binding, a multiple of every alignment.
    window: u64,
    alignment: u64,
}

impl Filler {
    pub(crate) fn new(device: &wgpu::Device, fault: &Fault) -> Result<Self, warpweft_hal::Error> {
        let limits = device.limits();
        let alignment = u64::from(limits.min_storage_buffer_offset_alignment);
        let window = limits.max_storage_buffer_binding_size.min(1 << 31) / alignment * alignment;
        let made = fault.scoped(device, || {
            let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                label: None,
                entries: &[wgpu::BindGroupLayoutEntry {
                    binding: 0,
                    visibility: wgpu::ShaderStages::COMPUTE,
                    ty: wgpu::BindingType::Buffer {
                        ty: wgpu::BufferBindingType::Storage { read_only: false },
                        has_dynamic_offset: false,
                        min_binding_size: None,
                    },
                    count: None,
                }],
            });
            let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some("fill"),
                source: wgpu::ShaderSource::Wgsl(SOURCE.into()),
            });
            let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: None,
                bind_group_layouts: &[Some(&layout)],
                immediate_size: 16,
            });
            let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some("fill"),
                layout: Some(&pipeline_layout),
                module: &module,
                entry_point: None,
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                cache: None,
            });
            (pipeline, layout)
        });
        let (pipeline, layout) = made.map_err(|e| e.into_error(fault, 0))?;
        Ok(Self { pipeline, layout, window, alignment })
    }

    /// Encodes the filling of a range, window by window.
    pub(crate) fn fill(
        &self,
        device: &wgpu::Device,
        pass: &mut wgpu::ComputePass<'_>,
        buffer: &wgpu::Buffer,
        bytes: std::ops::Range<u64>,
        word: u32,
    ) {
        pass.set_pipeline(&self.pipeline);
        let mut at = bytes.start;
        while at < bytes.end {
            let start = at / self.alignment * self.alignment;
            let end = bytes.end.min(start + self.window);
            let group = device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: None,
                layout: &self.layout,
                entries: &[wgpu::BindGroupEntry {
                    binding: 0,
                    resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                        buffer,
                        offset: start,
                        size: std::num::NonZeroU64::new(end - start),
                    }),
                }],
            });
            let count = ((end - at) / 4) as u32;
            pass.set_bind_group(0, &group, &[]);
            let words: [u32; 4] = [((at - start) / 4) as u32, count, word, ROW];
            pass.set_immediates(0, bytemuck::bytes_of(&words));
            pass.dispatch_workgroups(count.div_ceil(64).min(ROW / 64), count.div_ceil(ROW), 1);
            at = end;
        }
    }
}
