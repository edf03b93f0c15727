import type { Cost } from '../verify/model.js';

const AMOUNT = /^-?[0-9]{1,12}(\.[0-9]{1,12})?$/;
const CURRENCY = /^[A-Z]{3}$/;

/** A cost as a carrier told it, if it is one: what comes from outside is kept only where it makes sense. */
export function checkCost(cost: Cost | undefined): Cost | undefined {
  if (!cost || !AMOUNT.test(cost.amount) || !CURRENCY.test(cost.currency)) return undefined;
  return { amount: cost.amount, currency: cost.currency };
}
