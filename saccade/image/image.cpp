#include "saccade/image/image.h"
