// TensorFlow operations of dpo-kit's own, for the CPU: chains of elementwise work that TensorFlow
// would run as three to eight kernels, each a pass over memory, in one pass. Formulas, shapes and
// the same operations in plain tfjs stand in lib/layers/; fused_kernels.ts is what calls these.
//
// Compiled by `deno task setup` for the processor at hand, registered by native_library.ts. All is
// float32 and row-major; a row is always summed in the same order, however many threads there are.
#include <dlfcn.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "kernel_call.h"
#include "loading_pages.h"
#include "workers.h"

namespace {

// -------------------------------------------------------------------------------- arithmetic

// e^x to 2e-7 relative; no branch, so that a compiler makes vectors of it. NaN stays NaN.
inline float exponential(float x) {
  x = x < -87.0f ? -87.0f : x;
  x = x > 88.0f ? 88.0f : x;
  const float magic = 12582912.0f;  // adding it rounds to a whole number, in the lowest bits
  const float shifted = x * 1.44269504f + magic;
  const float n = shifted - magic;
  const float r = (x - n * 0.693145752f) - n * 1.42860677e-6f;
  float p = 1.0f / 5040;
  for (float c : {1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f}) p = p * r + c;
  uint32_t bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  bits = (bits + 127) << 23;
  float power;
  std::memcpy(&power, &bits, sizeof power);
  return p * power;
}

inline float sigmoid(float x) { return 1.0f / (1.0f + exponential(-x)); }

// Sums of a row run in lanes, a vector's width, that are added in a fixed order at the end.
constexpr int kLanes = 32;

template <typename Term>
inline float sumOf(int64_t n, Term term) {
  float lanes[kLanes] = {0};
  int64_t j = 0;
  for (; j + kLanes <= n; j += kLanes) {
    for (int l = 0; l < kLanes; l++) lanes[l] += term(j + l);
  }
  for (; j < n; j++) lanes[j % kLanes] += term(j);
  for (int width = kLanes / 2; width > 0; width /= 2) {
    for (int l = 0; l < width; l++) lanes[l] += lanes[l + width];
  }
  return lanes[0];
}

inline float maxOf(const float* x, int64_t begin, int64_t end, float start) {
  float lanes[kLanes];
  std::fill(lanes, lanes + kLanes, start);
  int64_t j = begin;
  for (; j + kLanes <= end; j += kLanes) {
    for (int l = 0; l < kLanes; l++) lanes[l] = x[j + l] > lanes[l] ? x[j + l] : lanes[l];
  }
  for (; j < end; j++) lanes[0] = x[j] > lanes[0] ? x[j] : lanes[0];
  for (int l = 1; l < kLanes; l++) lanes[0] = lanes[l] > lanes[0] ? lanes[l] : lanes[0];
  return lanes[0];
}

// ------------------------------------------------------------------------------------- kernels

// x [N, D], weight [D] -> y [N, D], rstd [N, 1]
void rmsNorm(const Attributes& attributes, Call& call) {
  const Input &x = call[0], &weight = call[1];
  if (!call.check(x.dims.size() == 2 && weight.size == x.dim(1), "x [N, D], weight [D]")) return;
  const int64_t rows = x.dim(2), width = x.dim(1);
  float *y = call.output(0, x.dims), *rstd = call.output(1, {rows, 1});
  if (!call.check(y && rstd, "out of memory")) return;
  const float epsilon = attributes.epsilon;
  Workers::get().run(rows, width, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const float *xi = x.data + i * width, *w = weight.data;
      float* yi = y + i * width;
      const float sum = sumOf(width, [=](int64_t j) { return xi[j] * xi[j]; });
      const float r = rstd[i] = 1.0f / std::sqrt(sum / width + epsilon);
      for (int64_t j = 0; j < width; j++) yi[j] = xi[j] * r * w[j];
    }
  });
}

// dy, x [N, D], rstd [N, 1], weight [D], residual [N, D] or [0] -> dx [N, D]
void rmsNormGrad(const Attributes&, Call& call) {
  const Input &dy = call[0], &x = call[1], &rstd = call[2], &weight = call[3], &residual = call[4];
  if (!call.check(x.dims.size() == 2 && dy.size == x.size && rstd.size == x.dim(2) &&
                      weight.size == x.dim(1) && (residual.size == x.size || residual.size == 0),
                  "dy, x [N, D], rstd [N, 1], weight [D], residual [N, D] or [0]")) {
    return;
  }
  const int64_t rows = x.dim(2), width = x.dim(1);
  float* dx = call.output(0, x.dims);
  if (!call.check(dx, "out of memory")) return;
  Workers::get().run(rows, 2 * width, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const float *xi = x.data + i * width, *di = dy.data + i * width, *w = weight.data;
      const float r = rstd.data[i];
      const float inner =
          r * sumOf(width, [=](int64_t j) { return di[j] * w[j] * xi[j]; }) / width;
      float* out = dx + i * width;
      if (residual.size == 0) {
        for (int64_t j = 0; j < width; j++) out[j] = r * (di[j] * w[j] - xi[j] * r * inner);
      } else {
        const float* add = residual.data + i * width;
        for (int64_t j = 0; j < width; j++) {
          out[j] = add[j] + r * (di[j] * w[j] - xi[j] * r * inner);
        }
      }
    }
  });
}

// gate, up [N, F] -> silu(gate) * up [N, F]
void gated(const Attributes&, Call& call) {
  const Input &gate = call[0], &up = call[1];
  if (!call.check(gate.size == up.size, "gate and up of one shape")) return;
  float* y = call.output(0, gate.dims);
  if (!call.check(y, "out of memory")) return;
  Workers::get().run(gate.size, 4, [&](int64_t begin, int64_t end) {
    const float *g = gate.data, *u = up.data;
    for (int64_t j = begin; j < end; j++) y[j] = g[j] * sigmoid(g[j]) * u[j];
  });
}

// dy, gate, up [N, F] -> dgate, dup [N, F]
void gatedGrad(const Attributes&, Call& call) {
  const Input &dy = call[0], &gate = call[1], &up = call[2];
  if (!call.check(gate.size == up.size && dy.size == up.size, "dy, gate and up of one shape")) return;
  float *dgate = call.output(0, gate.dims), *dup = call.output(1, gate.dims);
  if (!call.check(dgate && dup, "out of memory")) return;
  Workers::get().run(gate.size, 6, [&](int64_t begin, int64_t end) {
    const float *d = dy.data, *g = gate.data, *u = up.data;
    for (int64_t j = begin; j < end; j++) {
      const float s = sigmoid(g[j]), a = g[j] * s;
      dgate[j] = d[j] * u[j] * (s + (a - a * s));
      dup[j] = d[j] * a;
    }
  });
}

// One head by its angles; `out` may be `in`.
inline void turn(const float* in, const float* c, const float* s, float sign, int64_t half, float* out) {
  for (int64_t j = 0; j < half; j++) {
    const float a = in[j], b = in[j + half];
    out[j] = a * c[j] + sign * b * s[j];
    out[j + half] = b * c[j + half] + sign * a * s[j + half];
  }
}

// x [N, H, headDim], cos and sin [N, 1, headDim] -> x turned, or turned back
void rope(const Attributes& attributes, Call& call) {
  const Input &x = call[0], &cos = call[1], &sin = call[2];
  if (!call.check(x.dims.size() == 3 && cos.size == x.dim(3) * x.dim(1) && sin.size == cos.size &&
                      x.dim(1) % 2 == 0,
                  "x [N, H, headDim], cos and sin [N, 1, headDim], headDim even")) {
    return;
  }
  const int64_t rows = x.dim(3), heads = x.dim(2), width = x.dim(1), half = width / 2;
  float* y = call.output(0, x.dims);
  if (!call.check(y, "out of memory")) return;
  const float sign = attributes.inverse ? -1.0f : 1.0f;
  Workers::get().run(rows, heads * width, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const float *c = cos.data + i * width, *s = sin.data + i * width;
      for (int64_t h = 0; h < heads; h++) {
        const int64_t at = (i * heads + h) * width;
        turn(x.data + at, c, s, sign, half, y + at);
      }
    }
  });
}

constexpr const char* kToHeads =
    "x [N, KV * share * headDim], slots [count * length], cos and sin [N, 1, headDim] or [0]";

// x [N, KV * share * headDim] -> [count * KV, rows * share, headDim], each head turned where there are
// angles. Row r of a sequence is the token in its slot first + r / share; an empty slot is zeros.
void toHeads(const Attributes& attributes, Call& call) {
  const Input &x = call[0], &slots = call[1], &cos = call[2], &sin = call[3];
  const int64_t keyHeads = attributes.keyHeads, share = attributes.share;
  const int64_t length = attributes.length, first = attributes.first, rows = attributes.rows;
  const int64_t headDim = attributes.headDim, half = headDim / 2, run = share * headDim;
  const bool turns = cos.size > 0;
  if (!call.check(x.dims.size() == 2 && keyHeads > 0 && share > 0 && headDim > 0 && length > 0 &&
                      first >= 0 && rows > 0 && first + rows <= length &&
                      slots.size % length == 0 && x.dim(1) == keyHeads * run &&
                      (!turns || (headDim % 2 == 0 && cos.size == x.dim(2) * headDim &&
                                  sin.size == cos.size)),
                  kToHeads)) {
    return;
  }
  const int64_t count = slots.size / length, tokens = x.dim(2);
  for (int64_t i = 0; i < slots.size; i++) {
    if (!call.check(slots.ints()[i] < tokens, kToHeads)) return;
  }
  float* y = call.output(0, {count * keyHeads, rows * share, headDim});
  if (!call.check(y, "out of memory")) return;
  Workers::get().run(count * keyHeads * rows, run, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t matrix = i / rows, head = matrix % keyHeads;
      const int64_t token = slots.ints()[matrix / keyHeads * length + first + i % rows];
      float* out = y + i * run;
      if (token < 0) {
        std::fill(out, out + run, 0.0f);
        continue;
      }
      const float* in = x.data + (token * keyHeads + head) * run;
      if (!turns) {
        std::copy(in, in + run, out);
        continue;
      }
      const float *c = cos.data + token * headDim, *s = sin.data + token * headDim;
      for (int64_t at = 0; at < run; at += headDim) turn(in + at, c, s, 1.0f, half, out + at);
    }
  });
}

constexpr const char* kFromHeads =
    "places [4 N], firsts [n], cos and sin [N, 1, headDim] or [0], n blocks "
    "[count * KV, rows * share, headDim]";

// The way back, from n blocks to [N, KV * share * headDim]; each head is turned back where there are
// angles. A token's place: its blocks (from the first to before the second), sequence and position.
// Its number is the sum over those of its blocks that reach it; a token without blocks is zeros.
void fromHeads(const Attributes& attributes, Call& call) {
  const Input &places = call[0], &firsts = call[1], &cos = call[2], &sin = call[3];
  const int64_t keyHeads = attributes.keyHeads, share = attributes.share, n = call.size() - 4;
  const Input* blocks = &call[0] + 4;
  if (!call.check(n > 0 && firsts.size == n && places.size % 4 == 0 && keyHeads > 0 && share > 0 &&
                      blocks[0].dims.size() == 3,
                  kFromHeads)) {
    return;
  }
  const int64_t tokens = places.size / 4, headDim = blocks[0].dim(1), half = headDim / 2;
  const int64_t run = share * headDim;
  const bool turns = cos.size > 0;
  if (!call.check(!turns || (headDim % 2 == 0 && cos.size == tokens * headDim &&
                             sin.size == cos.size),
                  kFromHeads)) {
    return;
  }
  for (int64_t b = 0; b < n; b++) {
    if (!call.check(blocks[b].dims.size() == 3 && blocks[b].dim(1) == headDim &&
                        blocks[b].dim(2) % share == 0 && blocks[b].dim(3) % keyHeads == 0,
                    kFromHeads)) {
      return;
    }
  }
  const int32_t* place = places.ints();
  for (int64_t i = 0; i < tokens; i++) {
    const int32_t *at = place + 4 * i, item = at[2];
    bool fits = at[0] >= 0 && at[1] <= n && item >= 0;
    for (int64_t b = at[0]; fits && b < at[1]; b++) fits = item < blocks[b].dim(3) / keyHeads;
    if (!call.check(fits, kFromHeads)) return;
  }
  float* y = call.output(0, {tokens, keyHeads * run});
  if (!call.check(y, "out of memory")) return;
  Workers::get().run(tokens, keyHeads * run, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      float* row = y + i * keyHeads * run;
      const int32_t* at = place + 4 * i;
      bool isFirst = true;
      for (int64_t b = at[0]; b < at[1]; b++) {
        const int64_t inner = at[3] - firsts.ints()[b], perHead = blocks[b].dim(2);
        if (inner < 0 || inner >= perHead / share) continue;
        for (int64_t h = 0; h < keyHeads; h++) {
          const float* in = blocks[b].data + ((at[2] * keyHeads + h) * perHead + inner * share) * headDim;
          float* out = row + h * run;
          if (isFirst) {
            std::copy(in, in + run, out);
          } else {
            for (int64_t j = 0; j < run; j++) out[j] += in[j];
          }
        }
        isFirst = false;
      }
      if (isFirst) std::fill(row, row + keyHeads * run, 0.0f);
      if (!turns) continue;
      const float *c = cos.data + i * headDim, *s = sin.data + i * headDim;
      for (int64_t h = 0; h < keyHeads * share; h++) {
        turn(row + h * headDim, c, s, -1.0f, half, row + h * headDim);
      }
    }
  });
}

constexpr int32_t kPadding = 255;

// scores [count * KV, rows * share, keys], segments [count * length] -> probabilities.
// Row r of a sequence is token first + r / share; it sees the trunk and its own tail up to itself.
void trieSoftmax(const Attributes& attributes, Call& call) {
  const Input &scores = call[0], &segments = call[1];
  const int64_t keyHeads = attributes.keyHeads, share = attributes.share;
  const int64_t length = attributes.length, first = attributes.first;
  if (!call.check(scores.dims.size() == 3 && keyHeads > 0 && share > 0 && length > 0 && first >= 0 &&
                      scores.dim(3) % keyHeads == 0 &&
                      segments.size == scores.dim(3) / keyHeads * length &&
                      scores.dim(2) % share == 0 && scores.dim(1) == first + scores.dim(2) / share &&
                      scores.dim(1) <= length,
                  "scores [count * KV, rows * share, keys], segments [count * length]")) {
    return;
  }
  const int64_t perHead = scores.dim(2), keys = scores.dim(1);
  float* p = call.output(0, scores.dims);
  if (!call.check(p, "out of memory")) return;
  Workers::get().run(scores.dim(3) * perHead, 4 * keys, [&](int64_t from, int64_t to) {
    for (int64_t row = from; row < to; row++) {
      const int32_t* segment = segments.ints() + row / perHead / keyHeads * length;
      const int64_t token = first + row % perHead / share;
      const float* x = scores.data + row * keys;
      float* out = p + row * keys;
      // Segments stand in order: trunk, first tail, second tail, padding. What a token sees is
      // [0, trunk) and [own, token].
      int64_t trunk = token + 1, own = token + 1;
      if (segment[token] == kPadding) {
        trunk = 0, own = token;
      } else if (segment[token] != 0) {
        for (trunk = 0; segment[trunk] == 0;) trunk++;
        for (own = trunk; segment[own] != segment[token];) own++;
      }
      const float most = maxOf(x, own, token + 1, maxOf(x, 0, trunk, -INFINITY));
      std::fill(out + trunk, out + own, 0.0f);
      std::fill(out + token + 1, out + keys, 0.0f);
      for (int64_t j = 0; j < trunk; j++) out[j] = exponential(x[j] - most);
      for (int64_t j = own; j <= token; j++) out[j] = exponential(x[j] - most);
      const float scale = 1.0f / sumOf(token + 1, [=](int64_t j) { return out[j]; });
      for (int64_t j = 0; j <= token; j++) out[j] *= scale;
    }
  });
}

// dp, p [B, R, K], dout, out [B, R, headDim] -> p * (dp - sum(dout * out)) [B, R, K]
void softmaxGrad(const Attributes&, Call& call) {
  const Input &dp = call[0], &p = call[1], &dout = call[2], &out = call[3];
  if (!call.check(p.dims.size() == 3 && dp.size == p.size && out.dims.size() == 3 &&
                      dout.size == out.size && out.dim(3) * out.dim(2) == p.dim(3) * p.dim(2),
                  "dp, p [B, R, K], dout, out [B, R, headDim]")) {
    return;
  }
  const int64_t rows = p.dim(3) * p.dim(2), keys = p.dim(1), width = out.dim(1);
  float* ds = call.output(0, p.dims);
  if (!call.check(ds, "out of memory")) return;
  Workers::get().run(rows, 2 * keys, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const float *a = dout.data + i * width, *b = out.data + i * width;
      const float inner = sumOf(width, [=](int64_t j) { return a[j] * b[j]; });
      const float *d = dp.data + i * keys, *pi = p.data + i * keys;
      float* si = ds + i * keys;
      for (int64_t j = 0; j < keys; j++) si[j] = (d[j] - inner) * pi[j];
    }
  });
}

// ---------------------------------------------------------------------------- a token at a time

// A vector as wide as the widest registers that the compiler may use.
#if defined(__AVX512F__)
constexpr int kWide = 16;
#elif defined(__AVX__)
constexpr int kWide = 8;
#else
constexpr int kWide = 4;
#endif
typedef float Wide __attribute__((vector_size(kWide * sizeof(float))));
constexpr int kTile = 8;      // sums at work at once: enough to hide a sum's latency
constexpr int64_t kLine = 16;  // numbers that memory hands over at once

// `outs` rows of the weight times kWide rows of x, whose numbers stand transposed in `across`. The rows
// behind them are asked for meanwhile: memory needs about as long to bring them as this takes.
template <int outs>
inline void tile(const float* weight, const Wide* across, int64_t width, Wide* sums) {
  Wide own[outs] = {};
  int64_t j = 0;
  for (; j + kLine <= width; j += kLine) {
    for (int o = 0; o < outs; o++) __builtin_prefetch(weight + (outs + o) * width + j);
    for (int64_t l = j; l < j + kLine; l++) {
      for (int o = 0; o < outs; o++) own[o] += across[l] * weight[o * width + l];
    }
  }
  for (; j < width; j++) {
    for (int o = 0; o < outs; o++) own[o] += across[j] * weight[o * width + j];
  }
  for (int o = 0; o < outs; o++) sums[o] = own[o];
}

// The rows of x in groups of kWide, side by side: number j of all of them is one vector.
std::vector<Wide> layAcross(const Input& x) {
  const int64_t rows = x.dim(2), width = x.dim(1), groups = (rows + kWide - 1) / kWide;
  std::vector<Wide> across(groups * width, Wide{});
  for (int64_t first = 0; first < rows; first += kWide) {
    const int64_t count = std::min<int64_t>(kWide, rows - first);
    const float* from = x.data + first * width;
    float* to = reinterpret_cast<float*>(&across[first / kWide * width]);
    for (int64_t j = 0; j < width; j++) {
      for (int64_t i = 0; i < count; i++) to[j * kWide + i] = from[i * width + j];
    }
  }
  return across;
}

// Up to kLine rows of one weight, times all rows of x.
struct WeightRows {
  const float* weight;  // its first row
  float* y;             // where that row's results begin
  int64_t outs, stride;
};

// x [N, K] of few rows, n weights [M, K] -> x weight^T [N, M] of each. A weight's rows are read once.
void fewRows(const Attributes&, Call& call) {
  const char* wanted = "x [N, K], n weights [M, K]";
  const Input& x = call[0];
  if (!call.check(x.dims.size() == 2, wanted)) return;
  const int64_t rows = x.dim(2), width = x.dim(1);
  std::vector<WeightRows> parts;
  for (int n = 1; n < call.size(); n++) {
    const Input& weight = call[n];
    if (!call.check(weight.dims.size() == 2 && weight.dim(1) == width, wanted)) return;
    const int64_t outs = weight.dim(2);
    float* y = call.output(n - 1, {rows, outs});
    if (!call.check(y, "out of memory")) return;
    for (int64_t first = 0; first < outs; first += kLine) {
      parts.push_back({weight.data + first * width, y + first, std::min(kLine, outs - first), outs});
    }
  }
  const std::vector<Wide> across = layAcross(x);
  Workers::get().run(parts.size(), kLine * width * rows, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; p++) {
      const auto [weight, y, outs, stride] = parts[p];
      for (int64_t first = 0; first < rows; first += kWide) {
        const Wide* group = &across[first / kWide * width];
        Wide sums[kLine];
        int64_t o = 0;
        for (; o + kTile <= outs; o += kTile) tile<kTile>(weight + o * width, group, width, sums + o);
        for (; o < outs; o++) tile<1>(weight + o * width, group, width, sums + o);
        const int64_t count = std::min<int64_t>(kWide, rows - first);
        for (int64_t i = 0; i < count; i++) {
          for (o = 0; o < outs; o++) y[(first + i) * stride + o] = sums[o][i];
        }
      }
    }
  });
}

constexpr const char* kCached =
    "q [B, KV * share, headDim], k and v [B, KV, headDim], past [B * KV, T, headDim], mask [B * KV, 1, T], "
    "recent [B * KV, R, headDim]";

inline Wide load(const float* x) {
  Wide wide;
  std::memcpy(&wide, x, sizeof wide);
  return wide;
}

typedef float Four __attribute__((vector_size(4 * sizeof(float))));

// Adds the quarters of a vector, or what it has of them; four numbers are left to be added.
inline Four addFours(Wide wide) {
  Four parts[kWide / 4], sum = {};
  std::memcpy(parts, &wide, sizeof wide);
  for (Four part : parts) sum += part;
  return sum;
}

void softmax(float* x, int64_t n) {
  const float most = maxOf(x, 0, n, -INFINITY);
  for (int64_t j = 0; j < n; j++) x[j] = exponential(x[j] - most);
  const float scale = 1.0f / sumOf(n, [=](int64_t j) { return x[j]; });
  for (int64_t j = 0; j < n; j++) x[j] *= scale;
}

// Keys that a token sees, one behind the other, and their values.
struct Run {
  const float *k, *v;
  int64_t count;
};

// Each query's scores with a run's keys, so many at once that a key is in the cache for all queries.
void scoreRun(const Run& run, const float* q, int64_t queries, int64_t headDim, float* p, int64_t stride) {
  const int64_t whole = headDim - headDim % kWide;
  for (int64_t first = 0; first < run.count; first += kWide) {
    const int64_t count = std::min<int64_t>(kWide, run.count - first);
    const float* keys = run.k + first * headDim;
    for (int64_t h = 0; h < queries; h++) {
      const float* query = q + h * headDim;
      Four fours[kWide];
      for (int64_t j = 0; j < count; j++) {
        const float* key = keys + j * headDim;
        Wide sum = {};
        for (int64_t d = 0; d < whole; d += kWide) sum += load(query + d) * load(key + d);
        for (int64_t d = whole; d < headDim; d++) sum[d - whole] += query[d] * key[d];
        fours[j] = addFours(sum);
      }
      float* to = p + h * stride + first;
      for (int64_t j = 0; j < count; j++) {
        to[j] = (fours[j][0] + fours[j][1]) + (fours[j][2] + fours[j][3]);
      }
    }
  }
}

// Adds a run's values to each query's result, by its weights; four values at once, so that a result is
// fetched and put back a quarter as often.
void addRun(const Run& run, const float* p, int64_t stride, int64_t queries, int64_t headDim, float* out) {
  int64_t j = 0;
  for (; j + 4 <= run.count; j += 4) {
    const float* v = run.v + j * headDim;
    for (int64_t h = 0; h < queries; h++) {
      const float *w = p + h * stride + j;
      const float w0 = w[0], w1 = w[1], w2 = w[2], w3 = w[3];
      float* to = out + h * headDim;
      for (int64_t i = 0; i < headDim; i++) {
        to[i] += w0 * v[i] + w1 * v[headDim + i] + w2 * v[2 * headDim + i] + w3 * v[3 * headDim + i];
      }
    }
  }
  for (; j < run.count; j++) {
    for (int64_t h = 0; h < queries; h++) {
      const float weight = p[h * stride + j], *v = run.v + j * headDim;
      float* to = out + h * headDim;
      for (int64_t i = 0; i < headDim; i++) to[i] += weight * v[i];
    }
  }
}

// Attention of one new token a sequence over cached keys, and the recent ones with the new one behind.
// Keys that the mask hides are not read; a key that is read serves all query heads that share it.
void cachedAttention(const Attributes&, Call& call) {
  const Input &q = call[0], &k = call[1], &v = call[2], &pastK = call[3], &pastV = call[4];
  const Input &mask = call[5], &recentK = call[6], &recentV = call[7];
  if (!call.check(q.dims.size() == 3 && k.dims.size() == 3 && pastK.dims.size() == 3 &&
                      recentK.dims.size() == 3 && k.dim(3) == q.dim(3) && k.dim(1) == q.dim(1) &&
                      k.dim(2) > 0 && q.dim(2) % k.dim(2) == 0 && v.size == k.size &&
                      pastK.dim(3) == k.dim(3) * k.dim(2) && pastK.dim(1) == q.dim(1) &&
                      pastV.size == pastK.size && mask.size == pastK.dim(3) * pastK.dim(2) &&
                      recentK.dim(3) == pastK.dim(3) && recentK.dim(1) == q.dim(1) &&
                      recentV.size == recentK.size,
                  kCached)) {
    return;
  }
  const int64_t rows = pastK.dim(3), headDim = q.dim(1), share = q.dim(2) / k.dim(2);
  const int64_t past = pastK.dim(2), before = recentK.dim(2), now = before + 1, keys = past + now;
  float* y = call.output(0, {q.dim(3), q.dim(2) * headDim});
  float* nextK = call.output(1, {rows, now, headDim});
  float* nextV = call.output(2, {rows, now, headDim});
  if (!call.check(y && nextK && nextV, "out of memory")) return;
  const auto append = [=](const Input& recent, const Input& own, int64_t row, float* next) {
    const float* old = recent.data + row * before * headDim;
    std::copy(old, old + before * headDim, next + row * now * headDim);
    std::copy(own.data + row * headDim, own.data + (row + 1) * headDim,
              next + (row * now + before) * headDim);
  };
  Workers::get().run(rows, 2 * keys * headDim * share, [&](int64_t begin, int64_t end) {
    std::vector<float> p(share * keys);
    std::vector<Run> runs;
    for (int64_t row = begin; row < end; row++) {
      append(recentK, k, row, nextK);
      append(recentV, v, row, nextV);
      const float* hidden = mask.data + row * past;
      runs.clear();
      for (int64_t j = 0, first; j < past; j++) {
        for (first = j; j < past && hidden[j] == 0.0f;) j++;
        const int64_t at = (row * past + first) * headDim;
        if (j > first) runs.push_back({pastK.data + at, pastV.data + at, j - first});
      }
      const int64_t own = row * now * headDim;
      runs.push_back({nextK + own, nextV + own, now});
      int64_t seen = 0;
      for (const Run& run : runs) {
        scoreRun(run, q.data + row * share * headDim, share, headDim, &p[seen], keys);
        seen += run.count;
      }
      for (int64_t h = 0; h < share; h++) softmax(&p[h * keys], seen);
      float* out = y + row * share * headDim;
      std::fill(out, out + share * headDim, 0.0f);
      seen = 0;
      for (const Run& run : runs) {
        addRun(run, &p[seen], keys, share, headDim, out);
        seen += run.count;
      }
    }
  });
}

// -------------------------------------------------------------------------------- registration

using Kernel = void (*)(const Attributes&, Call&);

// An operation has some of these; what it lacks keeps its default.
void* readAttributes(TF_OpKernelConstruction* construction) {
  auto* read = new Attributes;
  TF_Status* status = TF_NewStatus();
  TF_OpKernelConstruction_GetAttrFloat(construction, "epsilon", &read->epsilon, status);
  TF_OpKernelConstruction_GetAttrInt64(construction, "inverse", &read->inverse, status);
  TF_OpKernelConstruction_GetAttrInt64(construction, "keyHeads", &read->keyHeads, status);
  TF_OpKernelConstruction_GetAttrInt64(construction, "share", &read->share, status);
  TF_OpKernelConstruction_GetAttrInt64(construction, "headDim", &read->headDim, status);
  TF_OpKernelConstruction_GetAttrInt64(construction, "length", &read->length, status);
  TF_OpKernelConstruction_GetAttrInt64(construction, "first", &read->first, status);
  TF_OpKernelConstruction_GetAttrInt64(construction, "rows", &read->rows, status);
  TF_DeleteStatus(status);
  return read;
}

template <Kernel kernel>
void compute(void* attributes, TF_OpKernelContext* context) {
  Call call(context);
  if (call.check(true, "")) kernel(*static_cast<Attributes*>(attributes), call);
}

void destroy(void* attributes) { delete static_cast<Attributes*>(attributes); }

struct Operation {
  const char* name;
  std::vector<const char*> inputs, outputs, attributes;
  void (*compute)(void*, TF_OpKernelContext*);
};

bool add(const Operation& operation) {
  TF_Status* status = TF_NewStatus();
  TF_OpDefinitionBuilder* definition = TF_NewOpDefinitionBuilder(operation.name);
  for (const char* spec : operation.inputs) TF_OpDefinitionBuilderAddInput(definition, spec);
  for (const char* spec : operation.outputs) TF_OpDefinitionBuilderAddOutput(definition, spec);
  for (const char* spec : operation.attributes) TF_OpDefinitionBuilderAddAttr(definition, spec);
  TF_RegisterOpDefinition(definition, status);
  if (TF_GetCode(status) == TF_OK) {
    TF_RegisterKernelBuilder(operation.name,
                             TF_NewKernelBuilder(operation.name, "CPU", readAttributes,
                                                 operation.compute, destroy),
                             status);
  }
  const bool isKnown = TF_GetCode(status) == TF_OK;
  TF_DeleteStatus(status);
  return isKnown;
}

// Whether this processor has what the compiler was told that it has: the folder may have been moved.
bool processorFits() {
#if defined(__x86_64__)
  unsigned eax, ebx, ecx, edx;
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx)) return false;
  const bool hasFma = ecx >> 12 & 1, hasXgetbv = ecx >> 27 & 1;
  uint64_t saved = 0;  // which registers the system keeps for a thread: 2 and 4 AVX, 0xe0 AVX-512
  if (hasXgetbv) {
    unsigned low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    saved = low;
  }
  if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) ebx = 0;
  const bool hasAvx2 = (ebx >> 5 & 1) && (saved & 6) == 6;
  const bool hasAvx512 = (ebx >> 16 & 1) && (saved & 0xe6) == 0xe6;
  const bool hasAvx512More = (ebx >> 17 & 1) && (ebx >> 30 & 1) && (ebx >> 31 & 1);
#ifdef __FMA__
  if (!hasFma) return false;
#endif
#ifdef __AVX2__
  if (!hasAvx2) return false;
#endif
#ifdef __AVX512F__
  if (!hasAvx512) return false;
#endif
#ifdef __AVX512VL__
  if (!hasAvx512More) return false;
#endif
  (void)hasFma, (void)hasAvx2, (void)hasAvx512, (void)hasAvx512More;
#endif
  return true;
}

__attribute__((noinline)) bool addAll() {
  bool all = add({"DpoRmsNorm", {"x: float", "weight: float"}, {"y: float", "rstd: float"},
       {"epsilon: float"}, compute<rmsNorm>});
  all &= add({"DpoRmsNormGrad",
       {"dy: float", "x: float", "rstd: float", "weight: float", "residual: float"},
       {"dx: float"}, {}, compute<rmsNormGrad>});
  all &= add({"DpoGated", {"gate: float", "up: float"}, {"y: float"}, {}, compute<gated>});
  all &= add({"DpoGatedGrad", {"dy: float", "gate: float", "up: float"}, {"dgate: float", "dup: float"},
       {}, compute<gatedGrad>});
  all &= add({"DpoRope", {"x: float", "cos: float", "sin: float"}, {"y: float"}, {"inverse: int"},
       compute<rope>});
  all &= add({"DpoTrieSoftmax", {"scores: float", "segments: int32"}, {"p: float"},
       {"keyHeads: int", "share: int", "length: int", "first: int"}, compute<trieSoftmax>});
  all &= add({"DpoSoftmaxGrad", {"dp: float", "p: float", "dout: float", "out: float"}, {"ds: float"},
       {}, compute<softmaxGrad>});
  all &= add({"DpoToHeads", {"x: float", "slots: int32", "cos: float", "sin: float"}, {"y: float"},
       {"keyHeads: int", "share: int", "headDim: int", "length: int", "first: int", "rows: int"},
       compute<toHeads>});
  all &= add({"DpoFromHeads",
       {"places: int32", "firsts: int32", "cos: float", "sin: float", "blocks: n * float"},
       {"y: float"}, {"keyHeads: int", "share: int", "n: int"}, compute<fromHeads>});
  all &= add({"DpoFewRows", {"x: float", "weights: n * float"}, {"y: n * float"}, {"n: int"},
       compute<fewRows>});
  all &= add({"DpoCachedAttention",
       {"q: float", "k: float", "v: float", "past_k: float", "past_v: float", "mask: float",
        "recent_k: float", "recent_v: float"},
       {"y: float", "next_k: float", "next_v: float"}, {}, compute<cachedAttention>});
  return all;
}

}  // namespace

// Makes TensorFlow know the operations above, once a process; returns 1, or 0 where it refuses them or
// the processor has less than the one that they were compiled for. TensorFlow and the workers keep pointing into this
// library, so it stays loaded.
extern "C" int register_fused_kernels() {
  static const bool registered = [] {
    Dl_info self;
    const bool stays = dladdr(reinterpret_cast<void*>(&register_fused_kernels), &self) != 0 &&
                       dlopen(self.dli_fname, RTLD_NOW | RTLD_NODELETE) != nullptr;
    if (!stays || !processorFits()) return false;
    return addAll();
  }();
  return registered;
}

// To be called when TensorFlow has started: see loading_pages.h.
extern "C" void drop_loading_pages() { dropLoadingPages(); }
