#!/usr/bin/perl
# What Perl itself decides by rule files in the original's syntax. Input and output are those of
# import_decide.c, with Perl code that returns the rules in place of the rule file, and with a line
# `error` where Perl does not take that.

# Nothing of ours must be in sight of the code.
sub run_code { package Table; eval $_[0] }

use strict;

sub decide {
    my ($rules, $kind, $header, $value) = @_;
    my $priority = '-';

    for my $rule (@$rules) {
        next if lc $rule->[0] ne lc $header || ($rule->[2] != 0 && $rule->[2] != $kind);
        $priority = $rule->[3] + 0 if $value =~ $rule->[1];
    }
    return $priority;
}

local $SIG{__WARN__} = sub { };
binmode STDIN;
local $/ = undef;
my @fields = split /\0/, <STDIN>, -1;
pop @fields;
while (@fields) {
    my ($code, $count) = splice @fields, 0, 2;
    my @messages = splice @fields, 0, 2 * $count;
    my $rules = run_code($code);
    my @answers;

    my $taken = ref $rules && eval { # a pattern that Perl gives up at is an exception
        while (@messages) {
            my ($header, $value) = splice @messages, 0, 2;
            push @answers, decide($rules, 1, $header, $value), decide($rules, 2, $header, $value);
        }
        1;
    };
    print $taken ? join(' ', @answers) : 'error', "\n";
}
