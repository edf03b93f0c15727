export { selfSigned } from '../support/certificates.js';
