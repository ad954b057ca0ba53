// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A library as it is when it was built with somebody else's header.

extern "C" bool ParseSomething();
extern "C" bool ParseSomething() { return true; }
