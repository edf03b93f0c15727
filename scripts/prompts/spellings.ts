import type { Phrases } from '../../src/speech/phrases.js';

/** A locale's phrases as the synthesizer is to read them, where that is not as they are written. */
type Spelling = Partial<Omit<Phrases, 'digits'>> & { readonly digits?: string };

/**
 * The synthesizer reads no kanji, no Arabic or Hebrew without vowels, and Thai and Lao only as sounds: those are
 * spelled with vowels, in kana, or in its phonemes (`[[…]]`; in Thai, tones are 1 rising, 2 low, 3 middle, 4 high and
 * 5 falling). Digits are given to it as numerals, which it knows best, but for those where it would say another word.
 */
export const SPELLINGS: Readonly<Record<string, Spelling>> = {
  ar: {
    greeting: 'مَرْحَبًا. إِلَيْكَ رَمْز التَحَقُّق الخاص بِكَ.',
    'greeting-brand': 'مَرْحَبًا. إِلَيْكَ رَمْز التَحَقُّق الخاص بِكَ مِنْ',
    'press-for-code': 'لِسَماع الرَمْز، اِضْغَطْ عَلى الرَقْم',
    'your-code-is': 'رَمْزُكَ هُوَ',
    again: 'مَرَّةً أُخْرى',
    'press-1-to-repeat': 'لِسَماع الرَمْز مَرَّةً أُخْرى، اِضْغَطْ عَلى الرَقْم واحِد.',
    'press-1-to-confirm': 'لِلتَأكيد، اِضْغَطْ عَلى الرَقْم واحِد.',
    goodbye: 'مَعَ السَلامَه.',
  },
  cs: { digits: '0 jedna 2 3 4 5 6 7 8 9' },
  cy: { digits: 'dim un dau tri pedwar pump chwech saith wyth naw' },
  fil: {
    greeting: 'Kumusta. Ito ang iyong berifikasion kod.',
    'greeting-brand': 'Kumusta. Ito ang iyong berifikasion kod mula sa',
    'press-for-code': 'Para marining ang iyong kod, pindutin ang',
    'your-code-is': 'Ang iyong kod ay',
    'press-1-to-repeat': 'Para marining ulit ang kod, pindutin ang isa.',
    digits: 'sero isa dalawa tatlo apat lima anim pito walo siyam',
  },
  gl: {
    greeting: 'Ola. Este e o teu código de verificación.',
    'greeting-brand': 'Ola. Este e o teu código de verificación de',
    'your-code-is': 'O teu código e',
    digits: 'cero un dous tres catro cinco seis sete oito nove',
  },
  he: {
    greeting: "[[Sal'om]]. [[hin'e k'od ha?im'ut Selx'a]].",
    'greeting-brand': "[[Sal'om]]. [[hin'e k'od ha?im'ut Selx'a me?'et]]",
    'press-for-code': "[[kd'ej liSm'oa? ?'et hak'od]], [[j'eS lehak'iS]]",
    'your-code-is': "[[hak'od Selx'a h'u]]",
    again: "[[S'uv]]",
    'press-1-to-repeat': "[[kd'ej liSm'oa? ?'et hak'od S'uv]], [[j'eS lehak'iS ?aX'at]].",
    'press-1-to-confirm': "[[le?iS'uQ]], [[j'eS lehak'iS ?aX'at]].",
    goodbye: "[[lehitQa?'ot]].",
  },
  ja: {
    greeting: 'こんにちわ。にんしょー こーどを おしらせします。',
    'greeting-brand': 'こんにちわ。にんしょー こーどを おしらせします。そーしんもとわ',
    'press-for-code': 'こーどを きくにわ、つぎの ばんごーを おして ください。',
    'your-code-is': 'こーどわ',
    again: 'もう いちど くりかえします。',
    'press-1-to-repeat': 'もう いちど きくにわ、いちを おして ください。',
    'press-1-to-confirm': 'かくにん するにわ、いちを おして ください。',
    goodbye: 'しつれい いたします。',
    digits: 'ぜろ いち に さん よん ご ろく なな はち きゅう',
  },
  ko: { digits: '공 일 이 삼 사 오 육 칠 팔 구' },
  lo: {
    greeting: "[[sa2b'a:i3d'i:3]]. [[n'i:4 m'E:n2 lah'at2 j'W:n3j'an3 kh'O:N1 th'a:n2]].",
    'greeting-brand': "[[sa2b'a:i3d'i:3]]. [[n'i:4 m'E:n2 lah'at2 j'W:n3j'an3 kh'O:N1 th'a:n2 tS'a:k2]]",
    'press-for-code': "[[ph'W:a2 f'aN3 lah'at2]], [[kalun'a:3 k'ot2 l'e:k5]]",
    'your-code-is': "[[lah'at2 kh'O:N1 th'a:n2 m'E:n2]]",
    again: "[['i:k2 th'W:a2 n'WN2]]",
    'press-1-to-repeat': "[[ph'W:a2 f'aN3 lah'at2 'i:k2 th'W:a2 n'WN2]], [[kalun'a:3 k'ot2 l'e:k5 n'WN2]].",
    'press-1-to-confirm': "[[ph'W:a2 j'W:n3j'an3]], [[kalun'a:3 k'ot2 l'e:k5 n'WN2]].",
    goodbye: "[[l'a:4k'O:n2]]",
    digits:
      "[[s'u:n1]] [[n'WN2]] [[s'O:N1]] [[s'a:m1]] [[s'i:2]] [[h'a:5]] [[h'ok2]] [[tS'et2]] [[p'E:t2]] [[k'ao5]]",
  },
  mn: {
    greeting: 'Сайн байна ұұ. Энэ бол таны баталгаажұұлах код.',
    'greeting-brand': 'Сайн байна ұұ. Энэ бол таны баталгаажұұлах код. Илгээгч:',
    'press-for-code': 'Кодоо сонсохын тұлд энэ товчийг дарна ұұ:',
    'press-1-to-repeat': 'Кодоо дахин сонсохын тұлд нэгийг дарна ұұ.',
    'press-1-to-confirm': 'Баталгаажұұлахын тұлд нэгийг дарна ұұ.',
    digits: 'тэг нэг хоёр гұрав дөрөв тав зұргаа долоо найм ес',
  },
  ne: { digits: 'शून्य एक दुई तीन चार पाँच छ सात आठ नौ' },
  pa: { digits: 'ਸਿਫ਼ਰ 1 2 3 4 5 6 7 8 9' },
  ru: { digits: 'ноль один два три четыре пять шесть семь восемь девять' },
  sq: { digits: 'zero një dy tre katër pesë gjashtë shtatë tetë nëntë' },
  ta: { digits: 'பூஜ்ஜியம் 1 2 3 4 5 6 7 8 9' },
  // Its own numeral for 8 sounds much like the one for 7.
  ur: { digits: '0 1 2 3 4 5 6 7 آٹھ 9' },
  th: {
    greeting: "[[sa2w'at2d'i:3]]. [[n'i:5 kh'W:3 ra4h'at2 j'W:n3j'an3 kh'O:N1 kh'un3]].",
    'greeting-brand': "[[sa2w'at2d'i:3]]. [[n'i:5 kh'W:3 ra4h'at2 j'W:n3j'an3 kh'O:N1 kh'un3 tS'a:k2]]",
    'press-for-code': "[[h'a:k2 t'ON5k'a:n3 f'aN3 ra4h'at2]], [[ka2ru4n'a:3 k'ot2]]",
    'your-code-is': "[[ra4h'at2 kh'O:N1 kh'un3 kh'W:3]]",
    again: "[['i:k2 khr'aN4]]",
    'press-1-to-repeat': "[[h'a:k2 t'ON5k'a:n3 f'aN3 ra4h'at2 'i:k2 khr'aN4]], [[ka2ru4n'a:3 k'ot2 n'WN2]].",
    'press-1-to-confirm': "[[h'a:k2 t'ON5k'a:n3 j'W:n3j'an3]], [[ka2ru4n'a:3 k'ot2 n'WN2]].",
    goodbye: "[[kh'O:p2kh'un3]]",
    digits:
      "[[s'u:n1]] [[n'WN2]] [[s'O:N1]] [[s'a:m1]] [[s'i:2]] [[h'a:5]] [[h'ok2]] [[tS'et2]] [[p'E:t2]] [[k'ao5]]",
  },
};
