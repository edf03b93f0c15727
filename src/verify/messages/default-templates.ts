// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the placeholders of templates have this form

/** How the default message reads in one language. */
export interface DefaultTemplate {
  /** With both placeholders, once each. */
  readonly named: string;
  /** Without a brand name: a sentence of its own, as leaving a word out breaks the grammar of many languages. */
  readonly nameless: string;
}

/**
 * The default message by locale: a language (ISO 639), or a language with a script or region where readers expect
 * other words. With a brand of 10 letters and a code of 8 digits each is one SMS segment, and leaves room for an
 * `app_hash` in the 140 bytes of the SMS Retriever.
 *
 * Brands are not inflected and have no known gender, so a language that would inflect the name has it in front
 * with a colon, or uninflected where that is usual. In Arabic, Hebrew, Persian and Urdu the sentence begins with a
 * letter of its own script, from which phones take the direction of the text, and words stand between brand and
 * code, so that a Latin brand and the digits never form one left-to-right run.
 */
export const DEFAULT_TEMPLATES: Readonly<Record<string, DefaultTemplate>> = {
  af: {
    named: 'Jou verifikasiekode vir ${brand_name} is ${code}.',
    nameless: 'Jou verifikasiekode is ${code}.',
  },
  am: { named: 'የእርስዎ ${brand_name} ማረጋገጫ ኮድ ${code} ነው።', nameless: 'የእርስዎ ማረጋገጫ ኮድ ${code} ነው።' },
  ar: {
    named: 'رمز التحقق الخاص بك من ${brand_name} هو ${code}.',
    nameless: 'رمز التحقق الخاص بك هو ${code}.',
  },
  az: { named: '${brand_name} təsdiq kodunuz: ${code}', nameless: 'Təsdiq kodunuz: ${code}' },
  be: { named: 'Ваш код пацвярджэння ${brand_name}: ${code}', nameless: 'Ваш код пацвярджэння: ${code}' },
  bg: {
    named: 'Вашият код за потвърждение от ${brand_name} е ${code}.',
    nameless: 'Вашият код за потвърждение е ${code}.',
  },
  bn: { named: 'আপনার ${brand_name} যাচাইকরণ কোড হল ${code}।', nameless: 'আপনার যাচাইকরণ কোড হল ${code}।' },
  bs: {
    named: 'Vaš verifikacijski kod za ${brand_name} je ${code}.',
    nameless: 'Vaš verifikacijski kod je ${code}.',
  },
  ca: {
    named: 'El teu codi de verificació de ${brand_name} és ${code}.',
    nameless: 'El teu codi de verificació és ${code}.',
  },
  cs: { named: 'Váš ověřovací kód pro ${brand_name} je ${code}.', nameless: 'Váš ověřovací kód je ${code}.' },
  cy: {
    named: 'Eich cod dilysu ar gyfer ${brand_name} yw ${code}.',
    nameless: 'Eich cod dilysu yw ${code}.',
  },
  da: {
    named: 'Din bekræftelseskode til ${brand_name} er ${code}.',
    nameless: 'Din bekræftelseskode er ${code}.',
  },
  de: {
    named: 'Ihr Bestätigungscode für ${brand_name} lautet ${code}.',
    nameless: 'Ihr Bestätigungscode lautet ${code}.',
  },
  el: {
    named: '${brand_name}: ο κωδικός επαλήθευσής σας είναι ${code}.',
    nameless: 'Ο κωδικός επαλήθευσής σας είναι ${code}.',
  },
  en: {
    named: 'Your ${brand_name} verification code is ${code}.',
    nameless: 'Your verification code is ${code}.',
  },
  es: {
    named: 'Tu código de verificación de ${brand_name} es ${code}.',
    nameless: 'Tu código de verificación es ${code}.',
  },
  et: { named: '${brand_name}: teie kinnituskood on ${code}.', nameless: 'Teie kinnituskood on ${code}.' },
  eu: {
    named: '${brand_name}: zure egiaztapen-kodea ${code} da.',
    nameless: 'Zure egiaztapen-kodea ${code} da.',
  },
  fa: { named: 'کد تأیید ${brand_name} شما ${code} است.', nameless: 'کد تأیید شما ${code} است.' },
  fi: { named: '${brand_name}: vahvistuskoodisi on ${code}.', nameless: 'Vahvistuskoodisi on ${code}.' },
  fil: {
    named: 'Ang iyong ${brand_name} verification code ay ${code}.',
    nameless: 'Ang iyong verification code ay ${code}.',
  },
  fr: {
    named: 'Votre code de vérification ${brand_name} est ${code}.',
    nameless: 'Votre code de vérification est ${code}.',
  },
  gl: {
    named: 'O teu código de verificación de ${brand_name} é ${code}.',
    nameless: 'O teu código de verificación é ${code}.',
  },
  gu: { named: 'તમારો ${brand_name} ચકાસણી કોડ ${code} છે.', nameless: 'તમારો ચકાસણી કોડ ${code} છે.' },
  he: { named: 'קוד האימות שלך עבור ${brand_name} הוא ${code}.', nameless: 'קוד האימות שלך הוא ${code}.' },
  hi: { named: 'आपका ${brand_name} सत्यापन कोड ${code} है।', nameless: 'आपका सत्यापन कोड ${code} है।' },
  hr: {
    named: 'Vaš verifikacijski kôd za ${brand_name} je ${code}.',
    nameless: 'Vaš verifikacijski kôd je ${code}.',
  },
  hu: { named: 'Az Ön ${brand_name} ellenőrző kódja: ${code}', nameless: 'Az Ön ellenőrző kódja: ${code}' },
  hy: { named: '${brand_name}: Ձեր հաստատման կոդն է՝ ${code}', nameless: 'Ձեր հաստատման կոդն է՝ ${code}' },
  id: {
    named: 'Kode verifikasi ${brand_name} Anda adalah ${code}.',
    nameless: 'Kode verifikasi Anda adalah ${code}.',
  },
  is: {
    named: 'Staðfestingarkóðinn þinn fyrir ${brand_name} er ${code}.',
    nameless: 'Staðfestingarkóðinn þinn er ${code}.',
  },
  it: {
    named: 'Il tuo codice di verifica ${brand_name} è ${code}.',
    nameless: 'Il tuo codice di verifica è ${code}.',
  },
  ja: { named: '${brand_name} の認証コードは ${code} です。', nameless: '認証コードは ${code} です。' },
  ka: {
    named: '${brand_name}: თქვენი ვერიფიკაციის კოდია ${code}.',
    nameless: 'თქვენი ვერიფიკაციის კოდია ${code}.',
  },
  kk: { named: '${brand_name} растау кодыңыз: ${code}', nameless: 'Растау кодыңыз: ${code}' },
  km: { named: 'លេខកូដផ្ទៀងផ្ទាត់ ${brand_name} របស់អ្នកគឺ ${code}', nameless: 'លេខកូដផ្ទៀងផ្ទាត់របស់អ្នកគឺ ${code}' },
  kn: { named: 'ನಿಮ್ಮ ${brand_name} ಪರಿಶೀಲನಾ ಕೋಡ್ ${code} ಆಗಿದೆ.', nameless: 'ನಿಮ್ಮ ಪರಿಶೀಲನಾ ಕೋಡ್ ${code} ಆಗಿದೆ.' },
  ko: { named: '[${brand_name}] 인증번호는 ${code}입니다.', nameless: '인증번호는 ${code}입니다.' },
  lo: { named: 'ລະຫັດຢືນຢັນ ${brand_name} ຂອງທ່ານແມ່ນ ${code}', nameless: 'ລະຫັດຢືນຢັນຂອງທ່ານແມ່ນ ${code}' },
  lt: {
    named: 'Jūsų ${brand_name} patvirtinimo kodas yra ${code}.',
    nameless: 'Jūsų patvirtinimo kodas yra ${code}.',
  },
  lv: {
    named: '${brand_name}: jūsu verifikācijas kods ir ${code}.',
    nameless: 'Jūsu verifikācijas kods ir ${code}.',
  },
  mk: {
    named: 'Вашиот код за потврда од ${brand_name} е ${code}.',
    nameless: 'Вашиот код за потврда е ${code}.',
  },
  ml: {
    named: 'നിങ്ങളുടെ ${brand_name} വെരിഫിക്കേഷൻ കോഡ് ${code} ആണ്.',
    nameless: 'നിങ്ങളുടെ വെരിഫിക്കേഷൻ കോഡ് ${code} ആണ്.',
  },
  mn: {
    named: 'Таны ${brand_name} баталгаажуулах код: ${code}',
    nameless: 'Таны баталгаажуулах код: ${code}',
  },
  mr: { named: 'तुमचा ${brand_name} पडताळणी कोड ${code} आहे.', nameless: 'तुमचा पडताळणी कोड ${code} आहे.' },
  ms: {
    named: 'Kod pengesahan ${brand_name} anda ialah ${code}.',
    nameless: 'Kod pengesahan anda ialah ${code}.',
  },
  my: { named: 'သင်၏ ${brand_name} အတည်ပြုကုဒ်မှာ ${code} ဖြစ်သည်။', nameless: 'သင်၏ အတည်ပြုကုဒ်မှာ ${code} ဖြစ်သည်။' },
  nb: {
    named: 'Bekreftelseskoden din for ${brand_name} er ${code}.',
    nameless: 'Bekreftelseskoden din er ${code}.',
  },
  ne: {
    named: 'तपाईंको ${brand_name} प्रमाणीकरण कोड ${code} हो।',
    nameless: 'तपाईंको प्रमाणीकरण कोड ${code} हो।',
  },
  nl: {
    named: 'Je verificatiecode voor ${brand_name} is ${code}.',
    nameless: 'Je verificatiecode is ${code}.',
  },
  pa: { named: 'ਤੁਹਾਡਾ ${brand_name} ਪੁਸ਼ਟੀਕਰਨ ਕੋਡ ${code} ਹੈ।', nameless: 'ਤੁਹਾਡਾ ਪੁਸ਼ਟੀਕਰਨ ਕੋਡ ${code} ਹੈ।' },
  pl: {
    named: 'Twój kod weryfikacyjny ${brand_name} to ${code}.',
    nameless: 'Twój kod weryfikacyjny to ${code}.',
  },
  pt: {
    named: 'O seu código de verificação ${brand_name} é ${code}.',
    nameless: 'O seu código de verificação é ${code}.',
  },
  'pt-BR': {
    named: 'Seu código de verificação ${brand_name} é ${code}.',
    nameless: 'Seu código de verificação é ${code}.',
  },
  ro: {
    named: 'Codul dvs. de verificare pentru ${brand_name} este ${code}.',
    nameless: 'Codul dvs. de verificare este ${code}.',
  },
  ru: { named: 'Ваш код подтверждения ${brand_name}: ${code}', nameless: 'Ваш код подтверждения: ${code}' },
  sk: { named: 'Váš overovací kód pre ${brand_name} je ${code}.', nameless: 'Váš overovací kód je ${code}.' },
  sl: {
    named: 'Vaša potrditvena koda za ${brand_name} je ${code}.',
    nameless: 'Vaša potrditvena koda je ${code}.',
  },
  sq: {
    named: 'Kodi juaj i verifikimit për ${brand_name} është ${code}.',
    nameless: 'Kodi juaj i verifikimit është ${code}.',
  },
  sr: {
    named: 'Ваш верификациони код за ${brand_name} је ${code}.',
    nameless: 'Ваш верификациони код је ${code}.',
  },
  'sr-Latn': {
    named: 'Vaš verifikacioni kod za ${brand_name} je ${code}.',
    nameless: 'Vaš verifikacioni kod je ${code}.',
  },
  sv: {
    named: 'Din verifieringskod för ${brand_name} är ${code}.',
    nameless: 'Din verifieringskod är ${code}.',
  },
  sw: {
    named: 'Nambari yako ya uthibitishaji ya ${brand_name} ni ${code}.',
    nameless: 'Nambari yako ya uthibitishaji ni ${code}.',
  },
  ta: { named: 'உங்கள் ${brand_name} சரிபார்ப்புக் குறியீடு: ${code}', nameless: 'உங்கள் சரிபார்ப்புக் குறியீடு: ${code}' },
  te: { named: 'మీ ${brand_name} ధృవీకరణ కోడ్: ${code}', nameless: 'మీ ధృవీకరణ కోడ్: ${code}' },
  th: { named: 'รหัสยืนยัน ${brand_name} ของคุณคือ ${code}', nameless: 'รหัสยืนยันของคุณคือ ${code}' },
  tr: { named: '${brand_name} doğrulama kodunuz: ${code}', nameless: 'Doğrulama kodunuz: ${code}' },
  uk: { named: 'Ваш код підтвердження ${brand_name}: ${code}', nameless: 'Ваш код підтвердження: ${code}' },
  ur: { named: 'آپ کا ${brand_name} تصدیقی کوڈ ${code} ہے۔', nameless: 'آپ کا تصدیقی کوڈ ${code} ہے۔' },
  uz: { named: '${brand_name} tasdiqlash kodingiz: ${code}', nameless: 'Tasdiqlash kodingiz: ${code}' },
  vi: { named: 'Mã xác minh ${brand_name} của bạn là ${code}.', nameless: 'Mã xác minh của bạn là ${code}.' },
  zh: { named: '您的 ${brand_name} 验证码是 ${code}。', nameless: '您的验证码是 ${code}。' },
  'zh-Hant': { named: '您的 ${brand_name} 驗證碼是 ${code}。', nameless: '您的驗證碼是 ${code}。' },
};
