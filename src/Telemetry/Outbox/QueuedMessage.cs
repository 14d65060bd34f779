namespace Dunlin.Telemetry.Outbox;

/// <summary>A message with its place.</summary>
internal sealed record QueuedMessage(byte[] Payload, long Segment, long Offset);
