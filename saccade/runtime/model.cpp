#include "saccade/plan/graph.h"
