// SPDX-License-Identifier: BSD-3-Clause
//
// Tells which queries of a reply shared a session. Pure functions.

#pragma once

#include "sheaf/request.hpp"

#include <string>

namespace sheaf::app {

/// `17 of 20 queries in 2 packs`; empty where there are none.
std::string packs_text(const reply& got);

} // namespace sheaf::app
