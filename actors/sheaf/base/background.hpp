// SPDX-License-Identifier: BSD-3-Clause
//
// Work that has to be finished though its caller cannot wait for it.

#pragma once

#include <functional>

namespace sheaf {

/// Calls `f`, which must not throw, on a thread of its own, and returns at once. The end of the program waits for it,
/// unless it comes on the thread that called this, for which `f` may be waiting. Where the system has no thread left,
/// `f` is kept and never called.
void finish_in_background(std::function<void()> f);

} // namespace sheaf
