// One substep of a leapfrog integrator, over all bodies: state += dt * rate. It serves both for velocities from
// accelerations and for positions from velocities. The fourth component of a position is the body's mass; of
// velocities and accelerations it is zero, so the mass stays.

@group(0) @binding(0) var<storage, read> rate: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> state: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> dt: f32;

@compute @workgroup_size(64)
fn advance(@builtin(global_invocation_id) id: vec3<u32>) {
    state[id.x] += dt * rate[id.x];
}
