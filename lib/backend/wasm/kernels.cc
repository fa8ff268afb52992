// WebAssembly kernels of dpo-kit's own. tests/golden/make_wasm_code.ts compiles them into
// wasm_code.ts, wasm_multiplier.ts lets them work in the memory of tfjs' backend. All is float32 and
// row-major.
//
// They keep nothing of their own in that memory, for it is another program's: no global, no array on
// the stack. Where one needs room, it is given some.
#include <wasm_simd128.h>

namespace {

// A product is made of tiles, kTileRows by kTileColumns sums that stay in registers: eight sums at
// work are what it takes to hide that each takes four cycles. Blocks of both matrices are laid out as
// tiles read them, a block of b for as long as all of a passes by, one of a for as long as it does.
constexpr int kTileRows = 4, kVectors = 2, kTileColumns = 4 * kVectors;
constexpr int kBlockRows = 192, kBlockInner = 256, kBlockColumns = 1024;

// A matrix by the distances between its neighbours, so that a transposed one is no copy.
struct Matrix {
  const float* data;
  int rowStep, columnStep;
  const float* at(int row, int column) const { return data + row * rowStep + column * columnStep; }
  Matrix from(int row, int column) const { return {at(row, column), rowStep, columnStep}; }
  Matrix turned() const { return {data, columnStep, rowStep}; }
};

// Four rows of four neighbours each, written as four columns; one begins every outStep numbers.
inline void turn(Matrix x, float* out, int outStep) {
  const v128_t a = wasm_v128_load(x.at(0, 0)), b = wasm_v128_load(x.at(1, 0));
  const v128_t c = wasm_v128_load(x.at(2, 0)), d = wasm_v128_load(x.at(3, 0));
  const v128_t ab = wasm_i32x4_shuffle(a, b, 0, 4, 1, 5), ab2 = wasm_i32x4_shuffle(a, b, 2, 6, 3, 7);
  const v128_t cd = wasm_i32x4_shuffle(c, d, 0, 4, 1, 5), cd2 = wasm_i32x4_shuffle(c, d, 2, 6, 3, 7);
  wasm_v128_store(out, wasm_i64x2_shuffle(ab, cd, 0, 2));
  wasm_v128_store(out + outStep, wasm_i64x2_shuffle(ab, cd, 1, 3));
  wasm_v128_store(out + 2 * outStep, wasm_i64x2_shuffle(ab2, cd2, 0, 2));
  wasm_v128_store(out + 3 * outStep, wasm_i64x2_shuffle(ab2, cd2, 1, 3));
}

inline int smaller(int a, int b) { return a < b ? a : b; }

// Lays a matrix out for tiles of `lanes` rows: of each column the tile's rows, zeros where there are
// no more. The right side's rows are its columns.
template <int lanes>
void layOut(Matrix x, int rows, int columns, float* out) {
  for (int i = 0; i < rows; i += lanes) {
    const int own = smaller(lanes, rows - i);
    int j = 0;
    if (own == lanes && x.rowStep == 1) {
      for (; j < columns; j++, out += lanes) {
        for (int r = 0; r < lanes; r += 4) wasm_v128_store(out + r, wasm_v128_load(x.at(i + r, j)));
      }
    } else if (own == lanes && x.columnStep == 1) {
      for (; j + 4 <= columns; j += 4, out += 4 * lanes) {
        for (int r = 0; r < lanes; r += 4) turn(x.from(i + r, j), out + r, lanes);
      }
    }
    for (; j < columns; j++) {
      for (int r = 0; r < lanes; r++) *out++ = r < own ? *x.at(i + r, j) : 0;
    }
  }
}

// One tile of the product, written to out or added to it; a row of it begins every rowStep numbers.
inline void tile(const float* a, const float* b, int inner, int adds, float* out, int rowStep) {
  v128_t sums[kTileRows][kVectors];
  for (int r = 0; r < kTileRows; r++) {
    for (int v = 0; v < kVectors; v++) sums[r][v] = wasm_f32x4_const_splat(0);
  }
  for (int p = 0; p < inner; p++, a += kTileRows, b += kTileColumns) {
    v128_t columns[kVectors];
    for (int v = 0; v < kVectors; v++) columns[v] = wasm_v128_load(b + 4 * v);
    for (int r = 0; r < kTileRows; r++) {
      const v128_t x = wasm_v128_load32_splat(a + r);
      for (int v = 0; v < kVectors; v++) {
        sums[r][v] = wasm_f32x4_relaxed_madd(x, columns[v], sums[r][v]);
      }
    }
  }
  for (int r = 0; r < kTileRows; r++) {
    for (int v = 0; v < kVectors; v++) {
      float* place = out + r * rowStep + 4 * v;
      wasm_v128_store(place, adds ? wasm_f32x4_add(wasm_v128_load(place), sums[r][v]) : sums[r][v]);
    }
  }
}

}  // namespace

extern "C" {

// a [rows, inner] times b [inner, columns] -> out [rows, columns], whose rows begin every outRowStep
// numbers: it may be part of a larger one. In room fit one block of a, one of b and a tile, that is
// productRoom numbers; each thread has its own.
__attribute__((export_name("product"))) void product(
    const float* aData, int aRowStep, int aColumnStep, const float* bData, int bRowStep,
    int bColumnStep, float* out, int outRowStep, int rows, int columns, int inner, float* room) {
  const Matrix a = {aData, aRowStep, aColumnStep}, b = {bData, bRowStep, bColumnStep};
  float *left = room, *right = left + kBlockRows * kBlockInner;
  float* edge = right + kBlockInner * kBlockColumns;
  for (int i = 0; inner == 0 && i < rows; i++) {
    __builtin_memset(out + i * outRowStep, 0, sizeof(float) * columns);
  }
  for (int j = 0; j < columns; j += kBlockColumns) {
    const int width = smaller(kBlockColumns, columns - j);
    for (int p = 0; p < inner; p += kBlockInner) {
      const int depth = smaller(kBlockInner, inner - p), adds = p > 0;
      layOut<kTileColumns>(b.from(p, j).turned(), width, depth, right);
      for (int i = 0; i < rows; i += kBlockRows) {
        const int height = smaller(kBlockRows, rows - i);
        layOut<kTileRows>(a.from(i, p), height, depth, left);
        for (int c = 0; c < width; c += kTileColumns) {
          for (int r = 0; r < height; r += kTileRows) {
            const float *tileLeft = left + r * depth, *tileRight = right + c * depth;
            const int ownRows = smaller(kTileRows, height - r);
            const int ownColumns = smaller(kTileColumns, width - c);
            float* place = out + (i + r) * outRowStep + j + c;
            if (ownRows == kTileRows && ownColumns == kTileColumns) {
              tile(tileLeft, tileRight, depth, adds, place, outRowStep);
              continue;
            }
            tile(tileLeft, tileRight, depth, 0, edge, kTileColumns);
            for (int y = 0; y < ownRows; y++) {
              for (int x = 0; x < ownColumns; x++) {
                float* number = place + y * outRowStep + x;
                *number = edge[y * kTileColumns + x] + (adds ? *number : 0);
              }
            }
          }
        }
      }
    }
  }
}

__attribute__((export_name("productRoom"))) int productRoom(void) {
  return kBlockRows * kBlockInner + kBlockInner * kBlockColumns + kTileRows * kTileColumns;
}

}  // extern "C"
