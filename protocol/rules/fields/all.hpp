#pragma once
/// The names of every machine's events and effects; see field.hpp.
#include "protocol/rules/fields/cluster_recovery.hpp"
#include "protocol/rules/fields/db_recovery.hpp"
#include "protocol/rules/fields/election.hpp"
#include "protocol/rules/fields/freeze.hpp"
#include "protocol/rules/fields/joining.hpp"
#include "protocol/rules/fields/leader_watch.hpp"
#include "protocol/rules/fields/link_pair.hpp"
