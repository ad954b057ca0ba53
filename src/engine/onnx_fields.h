// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The numbers of the fields of ONNX's messages that are read, edited or written here (onnx.proto3).

#pragma once

#include <cstdint>

namespace sightline::onnx {

namespace model {
constexpr std::uint32_t kIrVersion = 1, kProducerName = 2, kGraph = 7, kOpsetImport = 8;
}
namespace opset {
constexpr std::uint32_t kDomain = 1, kVersion = 2;
}
namespace graph {
constexpr std::uint32_t kNode = 1, kName = 2, kInitializer = 5, kInput = 11, kOutput = 12,
                        kValueInfo = 13;
}
namespace node {
constexpr std::uint32_t kInput = 1, kOutput = 2, kName = 3, kOpType = 4, kAttribute = 5;
}
namespace attribute {
constexpr std::uint32_t kName = 1, kFloat = 2, kInt = 3, kString = 4, kTensor = 5, kGraph = 6,
                        kInts = 8, kType = 20;
constexpr std::uint64_t kTypeFloat = 1, kTypeInt = 2, kTypeString = 3, kTypeTensor = 4,
                        kTypeInts = 7;
}  // namespace attribute
namespace tensor {
constexpr std::uint32_t kDims = 1, kDataType = 2, kFloatData = 4, kInt64Data = 7, kName = 8,
                        kRawData = 9, kExternalData = 13;
}
namespace value_info {
constexpr std::uint32_t kName = 1, kType = 2;
}
namespace type {
constexpr std::uint32_t kTensor = 1, kSequence = 4, kMap = 5, kSparseTensor = 8, kOptional = 9;
}
namespace tensor_type {
constexpr std::uint32_t kElementType = 1, kShape = 2;
}
namespace shape {
constexpr std::uint32_t kDim = 1;
}
namespace dim {
constexpr std::uint32_t kValue = 1, kParam = 2;
}

}  // namespace sightline::onnx
