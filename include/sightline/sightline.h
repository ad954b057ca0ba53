/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sightline/analytics.h>
#include <sightline/error.h>
#include <sightline/frame.h>
#include <sightline/gallery.h>
#include <sightline/preprocess.h>
#include <sightline/probe.h>
#include <sightline/shape.h>
#include <sightline/tensor.h>
