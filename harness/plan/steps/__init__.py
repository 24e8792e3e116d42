"""The words of a plan, a module a family; `harness.plan.vocabulary` knows them all."""
