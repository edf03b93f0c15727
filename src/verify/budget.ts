import { BUDGET_WINDOW, type RecipientBudget } from './model.js';

/** The failed validations that still count at a moment. */
export function failuresWithin(budget: RecipientBudget | undefined, now: number): readonly number[] {
  return budget ? budget.failures.filter((time) => time > now - BUDGET_WINDOW) : [];
}
