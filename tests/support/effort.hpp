// SPDX-License-Identifier: BSD-3-Clause
//
// The length of storms, races and soaks: seconds in each run of the tests, and where SHEAF_TESTS is `long` until rare
// things have happened, too. And their packing.

#pragma once

#include "sheaf/request.hpp"

#include <cstdlib>
#include <string_view>

namespace sheaf::test {

template <class T>
T short_or_long(T short_form, T long_form) {
  const char* wanted = std::getenv("SHEAF_TESTS");
  return wanted != nullptr && std::string_view{wanted} == "long" ? long_form : short_form;
}

/// Whether the engines of the tests pack: as they do by themselves, or, where SHEAF_TESTS_PACK is `always`, all that
/// may be packed.
inline packing packing_under_test() {
  const char* wanted = std::getenv("SHEAF_TESTS_PACK");
  return wanted != nullptr && std::string_view{wanted} == "always" ? packing::always : packing::automatic;
}

} // namespace sheaf::test
