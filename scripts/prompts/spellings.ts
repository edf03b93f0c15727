import type { Phrases } from '../../src/speech/phrases.js';

/** A locale's phrases as the synthesizer is to read them, where that is not as they are written. */
type Spelling = Partial<Omit<Phrases, 'digits'>> & { readonly digits?: string };

/**
 * The synthesizer reads no kanji, no Arabic or Hebrew without vowels, and Thai and Lao only as sounds: those are
 * spelled with vowels, in kana, or in its phonemes (`[[…]]`; in Thai, tones are 1 rising, 2 low, 3 middle, 4 high and
 * 5 falling), as are words of other languages that it would stress wrongly. Digits are given to it as numerals, which
 * it knows best, but for those where it would say another word.
 */
export const SPELLINGS: Readonly<Record<string, Spelling>> = {
  ar: {
    greeting: 'مَرْحَبًا. إِلَيْكَ رَمْز التَحَقُّق الخاص بِكَ.',
    'greeting-brand': 'مَرْحَبًا. إِلَيْكَ رَمْز التَحَقُّق الخاص بِكَ مِنْ',
    'confirm-greeting': 'مَرْحَبًا. هاذِهِ مُكالَمَة لِتَأكيد رَقْم هاتِفِكَ.',
    'confirm-greeting-brand': 'مَرْحَبًا. هاذِهِ المُكالَمَة لِتَأكيد رَقْم هاتِفِكَ، وَهِيَ مِنْ',
    'press-for-code': 'لِسَماع الرَمْز، اِضْغَطْ عَلى الرَقْم',
    'your-code-is': 'رَمْزُكَ هُوَ',
    again: 'مَرَّةً أُخْرى',
    'press-1-to-repeat': 'لِسَماع الرَمْز مَرَّةً أُخْرى، اِضْغَطْ عَلى الرَقْم واحِد.',
    'press-1-to-confirm': 'لِلتَأكيد، اِضْغَطْ عَلى الرَقْم واحِد.',
    'not-requested': 'إِذا لَمْ تَطْلُبْ هاذِهِ المُكالَمَه، يُرْجى إِنْهاؤُها.',
    confirmed: 'شُكْرًا لَكَ. تَمَّ تَأكيد رَقْمِكَ.',
    goodbye: 'مَعَ السَلامَه.',
  },
  cs: { digits: '0 jedna 2 3 4 5 6 7 8 9' },
  cy: { digits: 'dim un dau tri pedwar pump chwech saith wyth naw' },
  fa: {
    'confirm-greeting': 'سلام. این تماس برای تأییدِ شماره‌یِ تلفنِ شما است.',
    'confirm-greeting-brand': 'سلام. این تماس برای تأییدِ شماره‌یِ تلفنِ شما است، از طرفِ',
    confirmed: 'متشکریم. شماره‌یِ شما تأیید شد.',
  },
  fil: {
    greeting: 'Kumusta. Ito ang iyong berifikasion kod.',
    'greeting-brand': 'Kumusta. Ito ang iyong berifikasion kod mula sa',
    'confirm-greeting': 'Kumusta. Ito ay tawag para kumpirmahin ang iyong numero nang telepono.',
    'confirm-greeting-brand':
      'Kumusta. Ang tawag na ito para kumpirmahin ang iyong numero nang telepono ay mula sa',
    'press-for-code': 'Para marining ang iyong kod, pindutin ang',
    'your-code-is': 'Ang iyong kod ay',
    'press-1-to-repeat': 'Para marining ulit ang kod, pindutin ang isa.',
    digits: 'sero isa dalawa tatlo apat lima anim pito walo siyam',
  },
  gl: {
    greeting: 'Ola. Este e o teu código de verificación.',
    'greeting-brand': 'Ola. Este e o teu código de verificación de',
    'confirm-greeting': 'Ola. Esta e unha chamada para confirmar o teu número de teléfono.',
    'confirm-greeting-brand': 'Ola. Esta e unha chamada para confirmar o teu número de teléfono, de parte de',
    'your-code-is': 'O teu código e',
    digits: 'cero un dous tres catro cinco seis sete oito nove',
  },
  he: {
    greeting: "[[Sal'om]]. [[hin'e k'od ha?im'ut Selx'a]].",
    'greeting-brand': "[[Sal'om]]. [[hin'e k'od ha?im'ut Selx'a me?'et]]",
    'confirm-greeting': "[[Sal'om]]. [[z'ohi siX'a le?iS'uQ misp'aQ hat'elefon Selx'a]].",
    'confirm-greeting-brand': "[[Sal'om]]. [[z'ohi siX'a le?iS'uQ misp'aQ hat'elefon Selx'a]], [[me?'et]]",
    'press-for-code': "[[kd'ej liSm'oa? ?'et hak'od]], [[j'eS lehak'iS]]",
    'your-code-is': "[[hak'od Selx'a h'u]]",
    again: "[[S'uv]]",
    'press-1-to-repeat': "[[kd'ej liSm'oa? ?'et hak'od S'uv]], [[j'eS lehak'iS ?aX'at]].",
    'press-1-to-confirm': "[[le?iS'uQ]], [[j'eS lehak'iS ?aX'at]].",
    'not-requested': "[[?'im l'o bik'aSta ?'et hasiX'a haz'o]], [[n'a lenat'ek]].",
    confirmed: "[[tod'a]]. [[hamisp'aQ Selx'a ?uS'aQ]].",
    goodbye: "[[lehitQa?'ot]].",
  },
  ja: {
    greeting: 'こんにちわ。にんしょー こーどを おしらせします。',
    'greeting-brand': 'こんにちわ。にんしょー こーどを おしらせします。そーしんもとわ',
    'confirm-greeting': 'こんにちわ。でんわばんごーの かくにんの ための おでんわです。',
    'confirm-greeting-brand': 'こんにちわ。でんわばんごーの かくにんの ための おでんわです。はっしんもとわ',
    'press-for-code': 'こーどを きくにわ、つぎの ばんごーを おして ください。',
    'your-code-is': 'こーどわ',
    again: 'もう いちど くりかえします。',
    'press-1-to-repeat': 'もう いちど きくにわ、いちを おして ください。',
    'press-1-to-confirm': 'かくにん するにわ、いちを おして ください。',
    'not-requested': 'おこころあたりが ない ばあいわ、でんわを おきり ください。',
    confirmed: 'ありがとー ございます。でんわばんごーの かくにんが できました。',
    goodbye: 'しつれい いたします。',
    digits: 'ぜろ いち に さん よん ご ろく なな はち きゅう',
  },
  ko: { digits: '공 일 이 삼 사 오 육 칠 팔 구' },
  lo: {
    greeting: "[[sa2b'a:i3d'i:3]]. [[n'i:4 m'E:n2 lah'at2 j'W:n3j'an3 kh'O:N1 th'a:n2]].",
    'greeting-brand': "[[sa2b'a:i3d'i:3]]. [[n'i:4 m'E:n2 lah'at2 j'W:n3j'an3 kh'O:N1 th'a:n2 tS'a:k2]]",
    'confirm-greeting':
      "[[sa2b'a:i3d'i:3]]. [[n'i:4 m'E:n2 k'a:n3 th'o:3 ph'W:a2 j'W:n3j'an3 b'@:3 th'o:3la4s'ap2 kh'O:N1 th'a:n2]].",
    'confirm-greeting-brand':
      "[[sa2b'a:i3d'i:3]]. [[n'i:4 m'E:n2 k'a:n3 th'o:3 ph'W:a2 j'W:n3j'an3 b'@:3 th'o:3la4s'ap2 kh'O:N1 th'a:n2]], [[tS'a:k2]]",
    'press-for-code': "[[ph'W:a2 f'aN3 lah'at2]], [[kalun'a:3 k'ot2 l'e:k5]]",
    'your-code-is': "[[lah'at2 kh'O:N1 th'a:n2 m'E:n2]]",
    again: "[['i:k2 th'W:a2 n'WN2]]",
    'press-1-to-repeat': "[[ph'W:a2 f'aN3 lah'at2 'i:k2 th'W:a2 n'WN2]], [[kalun'a:3 k'ot2 l'e:k5 n'WN2]].",
    'press-1-to-confirm': "[[ph'W:a2 j'W:n3j'an3]], [[kalun'a:3 k'ot2 l'e:k5 n'WN2]].",
    'not-requested':
      "[[th'a:5 th'a:n2 b'O:2 d'ai5 kh'O:1 k'a:n3 th'o:3 n'i:4]], [[kalun'a:3 w'a:N3 s'a:i1]].",
    confirmed: "[[kh'O:p2tS'ai3]]. [[b'@:3 kh'O:N1 th'a:n2 d'ai5 h'ap4 k'a:n3 j'W:n3j'an3 l'E:o4]].",
    goodbye: "[[l'a:4k'O:n2]]",
    digits:
      "[[s'u:n1]] [[n'WN2]] [[s'O:N1]] [[s'a:m1]] [[s'i:2]] [[h'a:5]] [[h'ok2]] [[tS'et2]] [[p'E:t2]] [[k'ao5]]",
  },
  mn: {
    greeting: 'Сайн байна ұұ. Энэ бол таны баталгаажұұлах код.',
    'greeting-brand': 'Сайн байна ұұ. Энэ бол таны баталгаажұұлах код. Илгээгч:',
    'confirm-greeting': 'Сайн байна ұұ. Энэ дұұдлага таны ұтасны дұгаарыг баталгаажұұлах зорилготой.',
    'confirm-greeting-brand':
      'Сайн байна ұұ. Энэ дұұдлага таны ұтасны дұгаарыг баталгаажұұлах зорилготой. Дұұдлага хийгч:',
    'press-for-code': 'Кодоо сонсохын тұлд энэ товчийг дарна ұұ:',
    'press-1-to-repeat': 'Кодоо дахин сонсохын тұлд нэгийг дарна ұұ.',
    'press-1-to-confirm': 'Баталгаажұұлахын тұлд нэгийг дарна ұұ.',
    'not-requested': 'Хэрэв та энэ дұұдлагыг хүсээгүй бол ұтсаа таслана ұұ.',
    confirmed: 'Баярлалаа. Таны дұгаар баталгаажлаа.',
    digits: 'тэг нэг хоёр гұрав дөрөв тав зұргаа долоо найм ес',
  },
  nb: { 'not-requested': 'Hvis du ikke har bett om dette anropet, vennligst legg på.' },
  ne: { digits: 'शून्य एक दुई तीन चार पाँच छ सात आठ नौ' },
  pa: { digits: 'ਸਿਫ਼ਰ 1 2 3 4 5 6 7 8 9' },
  ru: {
    'confirm-greeting': "Здравствуйте. Это звонок для подтверждения вашего [[n'om;ira]] телефона.",
    'confirm-greeting-brand':
      "Здравствуйте. Это звонок для подтверждения вашего [[n'om;ira]] телефона. Вам звонит компания",
    digits: 'ноль один два три четыре пять шесть семь восемь девять',
  },
  sq: { digits: 'zero një dy tre katër pesë gjashtë shtatë tetë nëntë' },
  ta: { digits: 'பூஜ்ஜியம் 1 2 3 4 5 6 7 8 9' },
  // Its own numeral for 8 sounds much like the one for 7.
  ur: { digits: '0 1 2 3 4 5 6 7 آٹھ 9' },
  th: {
    greeting: "[[sa2w'at2d'i:3]]. [[n'i:5 kh'W:3 ra4h'at2 j'W:n3j'an3 kh'O:N1 kh'un3]].",
    'greeting-brand': "[[sa2w'at2d'i:3]]. [[n'i:5 kh'W:3 ra4h'at2 j'W:n3j'an3 kh'O:N1 kh'un3 tS'a:k2]]",
    'confirm-greeting':
      "[[sa2w'at2d'i:3]]. [[n'i:5 kh'W:3 k'a:n3 th'o:3 ph'W:a5 j'W:n3j'an3 m'a:i1l'e:k5 th'o:3ra4s'ap2 kh'O:N1 kh'un3]].",
    'confirm-greeting-brand':
      "[[sa2w'at2d'i:3]]. [[n'i:5 kh'W:3 k'a:n3 th'o:3 ph'W:a5 j'W:n3j'an3 m'a:i1l'e:k5 th'o:3ra4s'ap2 kh'O:N1 kh'un3]], [[tS'a:k2]]",
    'press-for-code': "[[h'a:k2 t'ON5k'a:n3 f'aN3 ra4h'at2]], [[ka2ru4n'a:3 k'ot2]]",
    'your-code-is': "[[ra4h'at2 kh'O:N1 kh'un3 kh'W:3]]",
    again: "[['i:k2 khr'aN4]]",
    'press-1-to-repeat': "[[h'a:k2 t'ON5k'a:n3 f'aN3 ra4h'at2 'i:k2 khr'aN4]], [[ka2ru4n'a:3 k'ot2 n'WN2]].",
    'press-1-to-confirm': "[[h'a:k2 t'ON5k'a:n3 j'W:n3j'an3]], [[ka2ru4n'a:3 k'ot2 n'WN2]].",
    'not-requested':
      "[[h'a:k2 kh'un3 m'ai5 d'ai5 kh'O:1 r'ap4 s'a:i1 n'i:4]], [[ka2ru4n'a:3 w'a:N3 s'a:i1]].",
    confirmed: "[[kh'O:p2kh'un3]]. [[m'a:i1l'e:k5 kh'O:N1 kh'un3 d'ai5r'ap4 k'a:n3 j'W:n3j'an3 l'E:o4]].",
    goodbye: "[[kh'O:p2kh'un3]]",
    digits:
      "[[s'u:n1]] [[n'WN2]] [[s'O:N1]] [[s'a:m1]] [[s'i:2]] [[h'a:5]] [[h'ok2]] [[tS'et2]] [[p'E:t2]] [[k'ao5]]",
  },
  uk: {
    'confirm-greeting': "Вітаємо. Просимо підтвердити ваш номер [[tElEf'onu]].",
    'confirm-greeting-brand': "Вітаємо. Просимо підтвердити ваш номер [[tElEf'onu]]. Вам телефонує компанія",
  },
};
