#pragma once
/// \file
/// Mixture martingales (what a sum of increments is worth as evidence that their mean is not zero, at every time at
/// once) and their boundaries. docs/concepts/boundaries.md says which one when.

#include <serinus/sequential/boundaries/bernoulli_interval.hpp>
#include <serinus/sequential/boundaries/beta_binomial.hpp>
#include <serinus/sequential/boundaries/empirical_process.hpp>
#include <serinus/sequential/boundaries/gamma_exponential.hpp>
#include <serinus/sequential/boundaries/gamma_poisson.hpp>
#include <serinus/sequential/boundaries/normal_mixture.hpp>
#include <serinus/sequential/boundaries/stitching.hpp>
