// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/cut_off.h"

#include <string>

#include <gtest/gtest.h>

#include "scratch_folder.h"

namespace sightline {
namespace {

std::string box(const std::string& type, const std::string& payload) {
  const auto size = static_cast<unsigned>(payload.size() + 8);
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(size >> shift);
  return bytes + type + payload;
}

std::uint64_t missing(const std::string& contents) {
  const ScratchFolder folder;
  return missing_bytes(folder.write("clip", contents));
}

// Every cut of the file lacks exactly the bytes that were cut, unless it falls between two of its
// parts.
void expect_every_cut(const std::string& whole, std::size_t first_cut) {
  EXPECT_EQ(missing(whole), 0u);
  EXPECT_EQ(missing(whole + "more"), 0u);
  for (std::size_t size = first_cut; size < whole.size(); ++size)
    EXPECT_EQ(missing(whole.substr(0, size)), whole.size() - size) << size;
}

TEST(CutOff, Mp4SaysHowLongItsBoxesAre) {
  const std::string head = box("ftyp", "isom") + box("moov", std::string(20, 'm'));
  expect_every_cut(head + box("mdat", std::string(100, 'd')), head.size() + 8);
}

TEST(CutOff, Mp4BoxesMayHaveLongSizesOrGoOnToTheEnd) {
  const std::string length = std::string(7, '\0') + '\x40';  // 64 bytes
  const std::string whole =
      box("ftyp", "isom") + std::string("\0\0\0\1mdat", 8) + length + std::string(48, 'd');
  expect_every_cut(whole, 12 + 16);
  EXPECT_EQ(missing(box("ftyp", "isom") + std::string("\0\0\0\0mdat", 8) + "and so on"), 0u);
}

TEST(CutOff, MatroskaSaysHowLongItsSegmentIs) {
  const std::string header = std::string("\x1A\x45\xDF\xA3\x84", 5) + "webm";
  const std::string segment = std::string("\x18\x53\x80\x67\x40\x50", 6) + std::string(0x50, 's');
  expect_every_cut(header + segment, header.size() + 6);
  // Live recordings leave it open.
  EXPECT_EQ(
      missing(header + std::string("\x18\x53\x80\x67\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 12) + "s"),
      0u);
}

TEST(CutOff, AviSaysHowLongItIs) {
  expect_every_cut(std::string("RIFF\x40\0\0\0AVI ", 12) + std::string(0x40 - 4, 'a'), 12);
}

TEST(CutOff, WhateverStandsInAFileIsNoReasonToCrash) {
  EXPECT_EQ(missing(""), 0u);
  EXPECT_EQ(missing("text"), 0u);
  EXPECT_EQ(missing(std::string("\0\0\0\2ftyp", 8)), 0u);  // a box shorter than its own head
  EXPECT_EQ(missing(std::string("\x1A\x45\xDF\xA3\0", 5)), 0u);
  EXPECT_EQ(missing(std::string("\x1A\x45\xDF\xA3\xFF", 5)), 0u);
  const std::string endless = std::string("\0\0\0\1ftyp", 8) + std::string(8, '\xFF');
  EXPECT_EQ(missing(endless), 0u);
  EXPECT_EQ(missing_bytes("/nowhere/clip.mp4"), 0u);
}

}  // namespace
}  // namespace sightline
