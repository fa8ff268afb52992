// A kernel's side of TensorFlow: what it is called with, and what it gives back.
#pragma once
#include <cstdint>
#include <vector>

#include "tensorflow/c/tf_datatype.h"
#include "tensorflow/c/tf_status.h"
#include "tensorflow/c/tf_tensor.h"

// What is used of TensorFlow's stable C interface for kernels and operations (tensorflow/c/kernels.h
// and ops.h, whose own includes the wheel lacks in part).
extern "C" {
typedef struct TF_KernelBuilder TF_KernelBuilder;
typedef struct TF_OpKernelConstruction TF_OpKernelConstruction;
typedef struct TF_OpKernelContext TF_OpKernelContext;
typedef struct TF_OpDefinitionBuilder TF_OpDefinitionBuilder;
TF_OpDefinitionBuilder* TF_NewOpDefinitionBuilder(const char* name);
void TF_OpDefinitionBuilderAddInput(TF_OpDefinitionBuilder*, const char* spec);
void TF_OpDefinitionBuilderAddOutput(TF_OpDefinitionBuilder*, const char* spec);
void TF_OpDefinitionBuilderAddAttr(TF_OpDefinitionBuilder*, const char* spec);
void TF_RegisterOpDefinition(TF_OpDefinitionBuilder*, TF_Status*);
TF_KernelBuilder* TF_NewKernelBuilder(const char* op, const char* device,
                                      void* (*create)(TF_OpKernelConstruction*),
                                      void (*compute)(void*, TF_OpKernelContext*),
                                      void (*destroy)(void*));
void TF_RegisterKernelBuilder(const char* name, TF_KernelBuilder*, TF_Status*);
int TF_NumInputs(TF_OpKernelContext*);
void TF_GetInput(TF_OpKernelContext*, int index, TF_Tensor**, TF_Status*);
TF_Tensor* TF_AllocateOutput(TF_OpKernelContext*, int index, TF_DataType, const int64_t* dims,
                             int rank, size_t bytes, TF_Status*);
void TF_OpKernelContext_Failure(TF_OpKernelContext*, TF_Status*);
void TF_OpKernelConstruction_GetAttrInt64(TF_OpKernelConstruction*, const char*, int64_t*,
                                          TF_Status*);
void TF_OpKernelConstruction_GetAttrFloat(TF_OpKernelConstruction*, const char*, float*, TF_Status*);
}

namespace {

struct Attributes {
  float epsilon = 0;
  int64_t inverse = 0, keyHeads = 1, share = 1, headDim = 1, length = 0, first = 0, rows = 0;
};

struct Input {
  TF_Tensor* tensor = nullptr;
  const float* data = nullptr;
  std::vector<int64_t> dims;
  int64_t size = 1;
  int64_t dim(int fromEnd) const { return dims[dims.size() - fromEnd]; }
  const int32_t* ints() const { return reinterpret_cast<const int32_t*>(data); }
};

// One call of a kernel: its inputs, its outputs, and what is wrong with them.
class Call {
 public:
  explicit Call(TF_OpKernelContext* context) : context_(context), status_(TF_NewStatus()) {
    const int inputs = TF_NumInputs(context);
    for (int i = 0; i < inputs && TF_GetCode(status_) == TF_OK; i++) read(i);
  }
  ~Call() {
    if (TF_GetCode(status_) != TF_OK) TF_OpKernelContext_Failure(context_, status_);
    for (Input& input : inputs_) TF_DeleteTensor(input.tensor);
    for (TF_Tensor* output : outputs_) TF_DeleteTensor(output);
    TF_DeleteStatus(status_);
  }

  const Input& operator[](int i) const { return inputs_[i]; }
  int size() const { return static_cast<int>(inputs_.size()); }

  // Memory is only touched after the sizes have been held against each other.
  bool check(bool holds, const char* wanted) {
    if (TF_GetCode(status_) == TF_OK && !holds) TF_SetStatus(status_, TF_INVALID_ARGUMENT, wanted);
    return TF_GetCode(status_) == TF_OK;
  }

  float* output(int i, const std::vector<int64_t>& dims) {
    int64_t size = 1;
    for (int64_t dim : dims) size *= dim;
    TF_Tensor* tensor = TF_AllocateOutput(context_, i, TF_FLOAT, dims.data(), dims.size(),
                                          size * sizeof(float), status_);
    outputs_.push_back(tensor);
    return tensor ? static_cast<float*>(TF_TensorData(tensor)) : nullptr;
  }

 private:
  void read(int i) {
    Input input;
    TF_GetInput(context_, i, &input.tensor, status_);
    if (TF_GetCode(status_) != TF_OK) return;
    input.data = static_cast<const float*>(TF_TensorData(input.tensor));
    for (int d = 0; d < TF_NumDims(input.tensor); d++) {
      input.dims.push_back(TF_Dim(input.tensor, d));
      input.size *= input.dims.back();
    }
    inputs_.push_back(input);
  }

  TF_OpKernelContext* context_;
  TF_Status* status_;
  std::vector<Input> inputs_;
  std::vector<TF_Tensor*> outputs_;
};

}  // namespace
