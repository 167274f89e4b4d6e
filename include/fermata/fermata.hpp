// Everything an app needs.
#pragma once

#include <fermata/background_sync.hpp>
#include <fermata/check.hpp>
#include <fermata/database.hpp>
#include <fermata/maintenance.hpp>
#include <fermata/peer.hpp>
#include <fermata/query_result.hpp>
#include <fermata/record.hpp>
#include <fermata/result.hpp>
#include <fermata/timestamp.hpp>
#include <fermata/transaction.hpp>
#include <fermata/value.hpp>
