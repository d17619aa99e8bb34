class PaymentError extends Error {
  name = "PaymentError";
}

/** False when the card is declined. */
export async function pay(orderId, amountCents) {
  const answer = await fetch(`${process.env.PAYMENTS_URL}/payments`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ orderId, amountCents }),
  });
  await answer.arrayBuffer();
  if (answer.status >= 500) throw new PaymentError("the payment service failed, no money was taken");
  return answer.status !== 402;
}
