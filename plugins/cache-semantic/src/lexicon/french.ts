// house: data table
import { type Lexicon, lexiconOf } from './lexicon.ts'

/** French. `un` and `une` are no numbers: they stand for anything. */
export const FRENCH: Lexicon = lexiconOf({
  language: 'fr',
  frequent: `le la les un une des du de est sont suis était je tu il elle nous vous ils mon ma mes ton ta votre vos ce cette ces et ou mais pas ne que qui quoi comment quand où pourquoi quel quelle puis peut dois faut ai as avez ont à au aux en dans sur pour avec par plus se`,
  negations: `pas ne non jamais rien aucun aucune sans sauf ni personne`,
  askers: `que quoi comment quand où pourquoi qui quel quelle quels quelles combien puis peut`,
  pointing: `et ou mais alors ça cela ceci ce cette ces celui celle il elle le la les lui y en là ici quoi comment est pour avec aussi encore autre même pourquoi oui non un une`,
  ambiguousDates: `mars`,
  beforeDate: `en de fin début jusqu depuis`,
  from: `de depuis`,
  to: `à vers au`,
  endings: `ements ement ations ation es er ez s e`,
  numbers: {
    zéro: 0,
    deux: 2,
    trois: 3,
    quatre: 4,
    cinq: 5,
    six: 6,
    sept: 7,
    huit: 8,
    neuf: 9,
    dix: 10,
    onze: 11,
    douze: 12,
    vingt: 20,
    trente: 30,
    quarante: 40,
    cinquante: 50,
    soixante: 60,
    cent: 100,
    mille: 1000,
    million: 1000000,
    deuxième: 2,
    troisième: 3,
  },
  dates: {
    lundi: 'day:1',
    mardi: 'day:2',
    mercredi: 'day:3',
    jeudi: 'day:4',
    vendredi: 'day:5',
    samedi: 'day:6',
    dimanche: 'day:7',
    janvier: 'month:1',
    février: 'month:2',
    mars: 'month:3',
    avril: 'month:4',
    mai: 'month:5',
    juin: 'month:6',
    juillet: 'month:7',
    août: 'month:8',
    septembre: 'month:9',
    octobre: 'month:10',
    novembre: 'month:11',
    décembre: 'month:12',
    demain: 'tomorrow',
    hier: 'yesterday',
    noël: '12-25',
    pâques: 'easter',
  },
  currencies: {
    euro: 'EUR',
    euros: 'EUR',
    eur: 'EUR',
    dollar: 'USD',
    dollars: 'USD',
    usd: 'USD',
    francs: 'CHF',
    livres: 'GBP',
    centimes: 'cent',
  },
  units: {
    kg: 'kg',
    g: 'g',
    km: 'km',
    m: 'm',
    cm: 'cm',
    mm: 'mm',
    mb: 'MB',
    gb: 'GB',
    tb: 'TB',
    kb: 'kB',
    ms: 'ms',
    min: 'min',
    h: 'h',
    kilos: 'kg',
    grammes: 'g',
    kilomètres: 'km',
    mètres: 'm',
    secondes: 's',
    minutes: 'min',
    heure: 'h',
    heures: 'h',
    jour: 'd',
    jours: 'd',
    semaine: 'w',
    semaines: 'w',
    mois: 'mo',
    an: 'a',
    ans: 'a',
    année: 'a',
    années: 'a',
    pourcent: '%',
    degrés: 'deg',
    litres: 'l',
  },
  opposites: `
    activer désactiver
    ouvrir fermer
    allumer éteindre
    démarrer arrêter
    commencer finir
    avant après
    ajouter supprimer
    créer supprimer
    augmenter diminuer
    augmenter réduire
    acheter vendre
    bloquer débloquer
    verrouiller déverrouiller
    abonner désabonner
    installer désinstaller
    connecter déconnecter
    autoriser interdire
    accepter refuser
    importer exporter
    envoyer recevoir
    déposer retirer
    maximum minimum
    plus moins
    haut bas
    chaud froid
    rapide lent
    tôt tard
    premier dernier
    prochain précédent
    gauche droite
    nord sud
    est ouest
    intérieur extérieur
    avec sans
    vrai faux
    oui non
    public privé
    arrivée départ
    débit crédit
    grand petit
    demain hier
  `,
})
