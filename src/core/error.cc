// SPDX-License-Identifier: LGPL-2.1-or-later

#include "core/error.h"

namespace sightline {

Error::~Error() = default;  // the key function: one copy of the type's identity in the library

}  // namespace sightline
