// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The networks of `@vladmandic/face-api`, whose packages hold weights but no graph, become ONNX
// files with an open batch. The same weights give the same bytes.

#pragma once

#include <filesystem>

namespace sightline {

// face_recognition_model (dlib's ResNet): "input" float32 [N,3,150,150], RGB, normalised to
// (x − [122.782, 117.001, 104.298]) / 256; "embedding" float32 [N,128], not normalised:
// dlib's, with a constant vector added that suits it for cosines and leaves Euclidean distances.
//
// Throws Error(kNotFound): an input file is missing; Error(kModel): the weights are not those of
// this network, naming what was found and expected; Error(kFailed): `onnx_out` cannot be written.
// What was there before stays until the new file is whole.
void convert_face_api_recognition(const std::filesystem::path& manifest,
                                  const std::filesystem::path& weights,
                                  const std::filesystem::path& onnx_out);

// face_landmark_68_model: "input" float32 [N,3,112,112], RGB, normalised to
// (x − [122.782, 117.001, 104.298]) / 255; "landmarks" float32 [N,136], x and y by turns, 0..1 of
// the input. Throws as above.
void convert_face_api_landmarks(const std::filesystem::path& manifest,
                                const std::filesystem::path& weights,
                                const std::filesystem::path& onnx_out);

// age_gender_model (a small Xception): "input" float32 [N,3,112,112], RGB, normalised to
// (x − [122.782, 117.001, 104.298]) / 255; "age" float32 [N,1], years; "gender" float32 [N,2], how
// likely male and female are. Throws as above.
void convert_face_api_age_gender(const std::filesystem::path& manifest,
                                 const std::filesystem::path& weights,
                                 const std::filesystem::path& onnx_out);

}  // namespace sightline
