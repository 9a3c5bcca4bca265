"""English."""

from __future__ import annotations

from demo_web.lexicons.lexicon import Lexicon, phrases

_WHO = """
the ferryman; the harbour office; a retired teacher; the widow of the miller; the parish council; the stone mason;
an engineer from the capital; the younger of the two brothers; the museum; the lighthouse keeper; a group of students;
the botanist; the owner of the bakery; the local newspaper; the carpenter; a visiting surgeon; the orchestra;
the head gardener; the surveyor; an old fisherman; the weather station; the librarian; the chess club; the astronomer;
the village doctor; a travelling printer; the railway company; the beekeeper; the choir master; the school board;
the glass maker; a young historian; the bridge committee; the captain of the dredger; the clock maker; the geologist;
the translator; a farmer with nine goats; the water board; the painter; the night watchman; the chemist; the archivist;
the owner of the vineyard; a team of divers; the postmistress; the forester; the shepherd
"""
_DOES = """
measured the depth of the channel with a knotted rope; kept a careful record of every storm;
rebuilt the wooden bridge in a single summer; taught the children to read the stars; planted two rows of pear trees;
wrote a long letter to the ministry; sold the last of the sailing boats; drew a map of the underground springs;
opened a small workshop for musical instruments; refused to sign the agreement; collected seeds from the high meadows;
repaired the clock in the market square; described the migration of the herons; paid for a new roof;
found a box of unpublished photographs; compared the two manuscripts line by line; gave the first public concert;
built a kiln from broken bricks; counted the swallows under the eaves; asked for a second opinion;
translated the diary into three languages; walked the whole length of the canal; restored the painted ceiling;
brought the recipe back from a long voyage; invented a lamp that burned without smoke;
moved the archive to the old barn;
carried the mail across the frozen lake; learned the trade from a cousin; published a short guide to the caves;
dug a well that never ran dry; argued for lower tolls; photographed the comet through a borrowed lens;
baked bread for the whole valley; tested the strength of the new cable; saved the orchard from the frost;
set up a library with forty books; marked the safe path with white stones; tuned the organ before every feast;
designed a quiet machine for spinning wool; raised the alarm just in time; recorded the songs of the river pilots;
bought the quarry and closed it; mixed the colours from crushed shells; studied the rings of fallen oaks;
exchanged letters with a famous physicist; cut the travel time by half; replaced the iron gate with a hedge;
warned the council about the dam; painted the hull a deep green; kept the lamps burning through the fog;
trained a dozen apprentices; won the prize for the best cheese; mapped the craters of the moon;
hired a tutor for the evening classes; discovered a layer of blue clay; tried to grow tea on the southern slope;
wove a carpet for the town hall; proved that the water was safe to drink; stored the grain in stone towers;
explained the tides to a crowd of visitors; left a small fortune to the hospital; traced the name to an older language;
lowered the price of salt; followed the tracks for eleven miles
"""
_WHERE = """
on the far bank of the river; at the edge of the pine forest; in a narrow street behind the station; above the harbour;
in the cellar of the town hall; along the old trade road; near the mouth of the estuary;
under the arches of the viaduct;
in the upper valley; on an island with no trees; beside the weir; at the foot of the glacier; between the two churches;
in a tent on the parade ground; across the border; in the shade of the walnut trees; at the end of the pier;
on the windy side of the hill; in the reading room of the institute; next to the tannery; inside the ruined fort;
on the road to the monastery; in the attic of a merchant house; beyond the salt marshes; at the busiest crossing;
in the gardens of the palace; at the top of the spiral stairs; in a valley full of limestone; by the eastern gate;
among the dunes; in the engine room; on a barge loaded with timber; in the square where the market is held;
in a laboratory without windows; at the source of the stream; below the observatory; in the quiet months of the resort;
on the terrace of the inn; outside the city walls; in the workshop of a friend
"""
_WHEN = """
in the spring of {y}; late in the autumn of {y}; during the dry summer of {y}; shortly after {y};
some years before {y};
in the second week of May; on a cold morning in {y}; towards the end of the century; for {n} years; after {n} months;
every winter since {y}; on the first Sunday of the month; between {y} and the following harvest; at the age of {n};
within {n} days; in the year of the great flood; before the railway came; when the war was over; by the end of {y};
once the ice had melted; for most of {y}; on the evening of the festival; in less than {n} weeks; from {y} onwards
"""
_BECAUSE = """
because the road had been washed away; although the winter had been long and hard; which pleased the neighbours;
so that the boats could pass at low tide; since no one else was willing to do it; while the rest of the town slept;
even though the budget was small; as the old charter required; before the first snow closed the pass;
until the money ran out; which explains the odd shape of the roof; in order to protect the young trees;
if the stories of the elders can be trusted; because the clay was too soft for stone;
after a quarrel over the boundary;
as far as anyone can tell from the letters; though few people noticed at the time; where the current is weakest;
which was a rare thing in those days; so that the light would fall on the desk; because the harvest had failed twice;
without asking for any reward; while the council was still debating the price; as soon as the fog had lifted;
which later became a custom in the region; because two of the wells had turned salty; despite the advice of the doctor;
to the great delight of the children; unless the wind came from the north; because a fire had destroyed the mill;
which may be the reason for the name; as is still done in some of the villages; once the permit had arrived;
since the railway did not reach that far; so that travellers could rest their horses; though the plans were later lost;
when the price of copper began to fall; because the soil there holds the warmth; as a favour to an old friend;
which the experts had thought impossible
"""
_CLAUSE = """
nobody in the village was surprised; the results were better than anyone had hoped; the work took most of a year;
the report was never made public; a second attempt followed a few weeks later; the price of bread stayed the same;
there are at least three versions of the story; the original drawings can be seen in the museum;
the method spread to the neighbouring towns; the river changed its course soon afterwards;
many of the older houses still show the marks; only a handful of copies have survived;
the evidence points the other way;
the debate has not been settled to this day; the number of visitors has doubled since then;
the roof had to be replaced;
most of the credit went to somebody else; the letters tell a different tale; the idea was ahead of its time;
it turned out to be a useful mistake; the garden is open to the public again; the whole affair was soon forgotten;
the first trials ended in failure; the sound could be heard across the bay; even the critics had to agree;
the bees returned in the third year; what happened next is not quite clear; the cost was shared by seven families;
the new rules made little difference; the temperature fell below the average; a small plaque marks the place;
the habit of early rising was common there; the answer lay in the structure of the rock;
the map had been wrong all along;
the paper was made from old rags; the committee met only once; the view from the tower is worth the climb;
the ink has faded to a light brown; the question is of more than local interest; the path is steep but safe;
their children remember it well; the water is clear and very cold; the last witness died in the nineties;
the tools are kept in a dry room
"""
_OPEN = """
according to the parish register; by all accounts; in the end; as a rule; to begin with; in much the same way;
for a long time; strange as it may seem; on the other hand; not long afterwards; in a later chapter; at first sight;
with some luck and a good deal of patience; apart from a few exceptions; as one of the letters shows; year after year;
from a practical point of view; against the advice of the experts; in the opinion of most visitors; like many others;
thanks to a small grant; contrary to what the guide books say; in the course of the repairs; without much noise
"""
_TEMPLATES = (
    "{T}, {s} {v}, {r}.",
    "{S} {v} {p}, and {c}.",
    "{O}, {s} {v} {p}.",
    "{S} {v}; {c}.",
    "It is said that {s} {v} {t}, but {c}.",
    "When {s} {v}, {c}.",
    "{P}, {s} {v}, {r}.",
    "{C}, and {s} {v} {t}.",
    "{S}, {r}, {v} {p}.",
    "{O}, {c}.",
    "{T}, {c}, and that is how {s} {v}.",
    "To this day {c}, {r}.",
    "{S} {v} {t}.",
    "That {s} {v} {p} is well known, yet {c}.",
    "Have you ever wondered why {s} {v}?",
    "{O}, {s} {v} with the help of {s}, {r}.",
    "The people who live {p} will tell you that {c}.",
    "{C}, {r}.",
)
_HOOKS = """
hurry up and save big; wow, you will not believe this; best deals ever; stop paying too much;
hot new offer just for you;
act now and get rich; free gift inside; look no further; amazing discount today; top secret trick revealed;
lose weight fast; click and win; limited time only; buy one and get two; the number one choice; shocking low prices;
super sale is on; do not miss out; earn cash from home; instant approval for all
"""
_CLAIMS = """
our cheap brand watches ship to you the same day; this one weird pill will melt the fat from your body;
thousands of happy winners have already cashed their bonus; the best online casino gives you free spins to start with;
you can earn a huge income with no skills at all; our miracle cream makes you look ten years younger;
get a loan of any size with no questions to answer; the cheapest designer bags on the net are here;
everybody is talking about this amazing slimming tea; our followers and likes are real and delivered in minutes;
your credit score will jump to the top in days; this crypto robot makes money while you sleep;
get unlimited movies and games and pay nothing for it; luxury sunglasses at prices that are almost a crime;
the secret that the big banks want to hide from you; these replica shoes look better than the real ones;
all our coupons are tested and work every time; this diet works for everyone and needs no effort
"""
_CALLS = """
order now and save even more; sign up today and claim the prize; click the button below to get it;
call us now for free;
share this with all of your friends; add it to the cart before it is gone; enter your card and start to win;
subscribe to the newsletter for more deals; grab yours while stocks last; visit our shop and use the code;
send the text and be the lucky one; join the club and be a millionaire; buy it now and thank us later;
download the app and collect the coins; tell a buddy and get ten bucks
"""

ENGLISH = Lexicon(
    code="en",
    slots={
        "s": phrases(_WHO),
        "v": phrases(_DOES),
        "p": phrases(_WHERE),
        "t": phrases(_WHEN),
        "r": phrases(_BECAUSE),
        "c": phrases(_CLAUSE),
        "o": phrases(_OPEN),
        "a": phrases(_HOOKS),
        "b": phrases(_CLAIMS),
        "k": phrases(_CALLS),
    },
    templates=_TEMPLATES,
    adverts=("{A}! {B}!", "{A}: {b}, so {k}!", "{B}. {K}!", "{A}! {K}, {b}!", "{K}! {B}!"),
    menu=phrases("Home; About us; Articles; Gallery; Archive; Contact; Shop; Events; Log in; Help"),
    cookies="This site uses cookies. By continuing you accept our cookie policy.",
    footer="All rights reserved. Terms of use. Privacy policy.",
    related="You may also like",
    curse=("zorbleflux", "grimwhistle", "snorvaddle", "plimquottle", "vexnoggin", "grim zorble"),
)
