//! A user's own wgpu device becomes a device of ours.

mod common;

use common::Launch;
use warpweft_gpu::{Gpu, Settings, wgpu};
use warpweft_hal::{Command, Device, DeviceKind, Region, Submission, Submitted};

fn adapter() -> wgpu::Adapter {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
    adapters.into_iter().next().expect("a graphics device: run scripts/test")
}

#[test]
fn a_device_with_immediates_works() {
    let adapter = adapter();
    let descriptor = wgpu::DeviceDescriptor {
        required_features: wgpu::Features::IMMEDIATES,
        required_limits: wgpu::Limits { max_immediate_size: 48, ..Default::default() },
        ..Default::default()
    };
    let (device, queue) = pollster::block_on(adapter.request_device(&descriptor)).unwrap();
    let gpu = Gpu::from_wgpu(device, queue, &adapter.get_info(), Settings::default()).unwrap();
    assert_ne!(gpu.info().kind, DeviceKind::Cpu);
    assert!(gpu.info().features.is_empty() && !gpu.info().timestamps, "only what the user asked for");
    let wgsl = "@group(0) @binding(0) var<storage, read_write> x: array<u32>;
        @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) { x[id.x] += id.x; }";
    let launch = Launch::new(&gpu, wgsl).bind("x", &[5u32; 100]);
    launch.over([100, 1, 1]);
    assert_eq!(launch.read::<u32>("x"), (5..105).collect::<Vec<_>>());
}

#[test]
fn a_device_without_immediates_is_refused_with_the_reason() {
    let adapter = adapter();
    let (device, queue) = pollster::block_on(adapter.request_device(&Default::default())).unwrap();
    let error = Gpu::from_wgpu(device, queue, &adapter.get_info(), Settings::default()).unwrap_err();
    assert!(error.to_string().contains("immediates"), "{error}");
}

#[test]
fn a_device_that_goes_away_is_lost_for_good() {
    let adapter = adapter();
    let descriptor = wgpu::DeviceDescriptor {
        required_features: wgpu::Features::IMMEDIATES,
        required_limits: wgpu::Limits { max_immediate_size: 48, ..Default::default() },
        ..Default::default()
    };
    let (device, queue) = pollster::block_on(adapter.request_device(&descriptor)).unwrap();
    let gpu = Gpu::from_wgpu(device.clone(), queue, &adapter.get_info(), Settings::default()).unwrap();
    let memory = gpu.allocate(1024).unwrap();
    let fill = || Command::Fill { to: Region::device(memory, 0..1024), word: 1 };
    // SAFETY: no host memory is named.
    let Submitted::Pending(fence) = gpu.submit(unsafe { Submission::new(vec![fill()]) }).unwrap() else {
        panic!("filling takes a moment")
    };
    device.destroy();
    // The loss is noticed by whichever call reaches wgpu first; from then on every call says the same.
    let first = gpu.wait(fence).and(common::execute(&gpu, vec![fill()])).unwrap_err();
    assert!(first.is_loss(), "{first}");
    assert_eq!(gpu.wait(fence).unwrap_err(), first);
    assert_eq!(gpu.poll(fence).unwrap_err(), first);
    assert_eq!(gpu.allocate(4).unwrap_err(), first);
    assert_eq!(common::execute(&gpu, vec![fill()]).unwrap_err(), first);
    gpu.free(memory);
    gpu.trim();
}
