// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Crowds whose truth is known: persons walk through a street, hide each other, and a detector that
// errs in known ways looks at them. The same seed gives the same crowd on every machine.

#pragma once

#include <string>
#include <vector>

#include "track/observation.h"
#include "track/sequence.h"

namespace sightline::testing {

// A picture of 1280 × 720. Persons are 90 to 200 pixels high (those nearer are larger), walk at 0.5
// to 1.2 of their height a second, half to the left and half to the right, and change pace and
// direction a little all the time. Who is nearer hides who is farther; pillars hide everybody.
struct CrowdOptions {
  std::string name;
  unsigned seed = 1;
  int persons = 24;  // at a time; who leaves is replaced
  double seconds = 20;
  double fps = 25;
  double dropped_frames = 0;  // part of the frames that never arrive, as of a live source
  int pillars = 0;            // each hides a person who passes it, fully for up to a second

  // The detector.
  double misses = 0.1;          // part of well visible persons that it overlooks in a frame
  double false_detections = 1;  // a frame, on average (Poisson)
  double box_noise = 0.05;      // standard deviation of x, y, width and height: parts of the size
  double shake = 0;             // pixels; standard deviation of where the camera points
};

// What is given to a tracker and what it should say. A person of whom less than a tenth can be seen
// is in the truth, but ignored: nobody could find him.
struct CrowdFrame {
  double seconds = 0;
  std::vector<Observation> detections;
  std::vector<LabelledBox> truth;
};

std::vector<CrowdFrame> make_crowd(const CrowdOptions& options);

// The scenes of the test and of the benchmark, from easy to hard.
std::vector<CrowdOptions> crowd_scenes(unsigned seed);

}  // namespace sightline::testing
