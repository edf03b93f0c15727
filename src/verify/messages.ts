const BRAND = '$' + '{brand_name}';
const CODE = '$' + '{code}';

const PLACEHOLDER = /\$\{(brand_name|code)\}/g;

/** The text of an application that sets none. */
export const DEFAULT_TEMPLATE = `Your ${BRAND} verification code is ${CODE}.`;

/**
 * The text that a recipient reads. An empty brand name leaves no double space behind. The SMS Retriever hash,
 * when there is one, is the last line (contract §2, `app_hash`).
 */
export function renderText(
  message: { readonly template: string; readonly brandName: string; readonly appHash: string },
  code: string,
): string {
  const brand = message.brandName.trim();
  const template = brand === '' ? message.template.replaceAll(`${BRAND} `, '') : message.template;
  const text = template.replace(PLACEHOLDER, (_, name) => (name === 'code' ? code : brand));
  return message.appHash === '' ? text : `${text}\n${message.appHash}`;
}
