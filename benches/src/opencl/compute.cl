// Bodies, pixels and options in OpenCL C, as their WGSL has them.

kernel void nbody(global const float4 *pos, uint words, global float4 *acc, uint na, float eps) {
    uint i = get_global_id(0), n = words / 4;
    if (i >= na / 4) return;
    float3 here = pos[i].xyz;
    float3 sum = (float3)(0.0f);
    for (uint j = 0; j < n; j++) {
        float4 other = pos[j];
        float3 d = other.xyz - here;
        float inverse = rsqrt(dot(d, d) + eps * eps);
        sum += other.w * (inverse * inverse * inverse) * d;
    }
    acc[i] = (float4)(sum, 0.0f);
}

#define TILE 256

kernel __attribute__((reqd_work_group_size(TILE, 1, 1)))
void nbody_tiled(global const float4 *pos, uint words, global float4 *acc, uint na, float eps) {
    local float4 tile[TILE];
    uint i = get_global_id(0), lane = get_local_id(0), n = words / 4;
    float3 here = (float3)(0.0f);
    if (i < n) here = pos[i].xyz;
    float3 sum = (float3)(0.0f);
    for (uint first = 0; first < n; first += TILE) {
        float4 body = (float4)(0.0f);
        if (first + lane < n) body = pos[first + lane];
        tile[lane] = body;
        barrier(CLK_LOCAL_MEM_FENCE);
        for (uint j = 0; j < TILE; j++) {
            float4 other = tile[j];
            float3 d = other.xyz - here;
            float inverse = rsqrt(dot(d, d) + eps * eps);
            sum += other.w * (inverse * inverse * inverse) * d;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    if (i < n) acc[i] = (float4)(sum, 0.0f);
}

typedef struct {
    uint2 size;
    float2 origin;
    float step;
    uint max_iterations;
} Params;

kernel void mandelbrot(global uint *iterations, uint words, Params params) {
    uint x = get_global_id(0), y = get_global_id(1);
    if (x >= params.size.x || y >= params.size.y) return;
    float2 c = params.origin + params.step * (float2)(x, y);
    float2 z = (float2)(0.0f);
    uint n = 0;
    while (n < params.max_iterations) {
        float2 squares = z * z;
        if (squares.x + squares.y > 4.0f) break;
        z = (float2)(squares.x - squares.y + c.x, 2.0f * z.x * z.y + c.y);
        n++;
    }
    iterations[y * params.size.x + x] = n;
}

float normal(float d) {
    float k = 1.0f / (1.0f + 0.2316419f * fabs(d));
    float series = k * (0.319381530f + k * (-0.356563782f + k * (1.781477937f + k * (-1.821255978f + k * 1.330274429f))));
    float tail = 0.3989422804f * exp(-0.5f * d * d) * series;
    return d > 0.0f ? 1.0f - tail : tail;
}

kernel void black_scholes(global const float *price, uint n0, global const float *strike, uint n1,
                          global const float *years, uint n2, global float *call, uint n, global float *put, uint n4,
                          float rate, float volatility) {
    uint i = get_global_id(0);
    if (i >= n) return;
    float s = price[i], k = strike[i], t = years[i];
    float deviation = volatility * sqrt(t);
    float d1 = (log(s / k) + (rate + 0.5f * volatility * volatility) * t) / deviation;
    float d2 = d1 - deviation;
    float n1_ = normal(d1), n2_ = normal(d2);
    float discounted = k * exp(-rate * t);
    call[i] = s * n1_ - discounted * n2_;
    put[i] = discounted * (1.0f - n2_) - s * (1.0f - n1_);
}
