#pragma once
#include "base/sse.h"
