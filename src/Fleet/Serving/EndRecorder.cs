using Dunlin.Contracts.Updates;
using Dunlin.Fleet.Connecting;
using Dunlin.Fleet.Ledgers;
using Dunlin.Fleet.Pushing;

namespace Dunlin.Fleet.Serving;

/// <summary>How a directive ended, as its device says.</summary>
internal sealed record DirectiveEnd(string Device, UpdateState Result, string? Reason);

/// <summary>Notes in the ledger how directives end.</summary>
internal sealed class EndRecorder(Ledger ledger, TimeProvider time)
{
    /// <summary>Null if the message says nothing new.</summary>
    public DirectiveEnd? Take(Arrival arrival) =>
        DeviceWord.Read(arrival) is { IsEnd: true, Directive: { } directive } word
            && ledger.RecordEnd(word.Device, directive, word.State, word.Reason, word.Detail, time.GetUtcNow())
            ? new DirectiveEnd(word.Device, word.State, word.Reason)
            : null;
}
