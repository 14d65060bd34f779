using Dunlin.Bundles.Store;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Updates;
using Dunlin.TestKit;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Samples;

namespace Dunlin.Bundles.Tests.Store;

[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class BlobStoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly StateLayout _layout;
    private readonly BlobStore _store;
    private readonly SampleBlob _random = new((5 * Blob.StandardChunkSize) + 77);

    public BlobStoreTests()
    {
        _layout = new StateLayout(_folder.Path);
        _store = new BlobStore(_layout);
        _store.Recover();
    }

    private Blob Wanted => _random.Blob;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ABlobIsStoredReadOnlyUnderItsDigestAndNothingElseStays()
    {
        Assert.False(_store.Has(Wanted));
        Write(0, 1, 2, 3, 4, 5);
        var path = _layout.Blob(Wanted.Digest);
        Assert.Equal(_random.Content, File.ReadAllBytes(path));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead, File.GetUnixFileMode(path));
        Assert.True(_store.Has(Wanted) && _store.IsWhole(Wanted));
        Assert.Empty(Directory.GetFiles(_layout.Partial));
        Assert.Equal(Wanted.Digest, Assert.Single(_store.List()));
        _store.Delete(Wanted.Digest);
        Assert.Empty(_store.List());
    }

    [Fact]
    public async Task ABlobThatTheDiskDoesNotGiveBackIsNotWhole()
    {
        // The kernel opens this file and refuses to read it, as it does with what a disk has lost.
        const string unreadable = "/sys/class/net/lo/speed";
        var blob = new SampleBlob((int)new FileInfo(unreadable).Length).Blob;
        var path = _layout.Blob(blob.Digest);
        File.WriteAllText(path, "");
        if ((await Tool.RunAsync("mount", "--bind", unreadable, path)).ExitCode != 0) Assert.Skip("mount --bind is not allowed here; run as root.");
        try
        {
            Assert.True(_store.Has(blob));
            Assert.False(_store.IsWhole(blob));
        }
        finally
        {
            await Tool.SucceedAsync("umount", path);
        }
    }

    [Fact]
    public void ChunksMayComeInAnyOrderAndOverAnyNumberOfStarts()
    {
        foreach (var chunk in (int[])[3, 0, 5, 1])
        {
            using var partial = _store.OpenPartial(Wanted);
            Assert.True(partial.TryWriteChunk(chunk, _random.Chunk(chunk)));
        }
        using (var partial = _store.OpenPartial(Wanted))
        {
            Assert.Equal(2, MissingCount(partial));
            Assert.Equal((2, 1), partial.NextMissing());
            Assert.Equal((4, 1), partial.NextMissing(3));
            Assert.Equal((6, 0), partial.NextMissing(5));
            Assert.Equal((3L * Blob.StandardChunkSize) + 77, partial.VerifiedByteCount);
        }
        Write(2, 4);
        Assert.True(_store.IsWhole(Wanted));
    }

    [Fact]
    public void APartialFileHasItsLengthAndItsBlocksFromTheStart()
    {
        using var partial = _store.OpenPartial(Wanted);
        Assert.Equal(Wanted.Size, new FileInfo(_layout.PartialBlob(Wanted.Digest)).Length);
        Assert.Equal(0, _store.MissingByteCount([Wanted]));
        Assert.Equal(Wanted.Digest, Assert.Single(_store.ListPartial()));
        Assert.False(File.Exists(_layout.Blob(Wanted.Digest)));
    }

    [Fact]
    public void AWrongChunkIsRefusedAndTheRightOneStillTaken()
    {
        using var partial = _store.OpenPartial(Wanted);
        var flipped = _random.Chunk(1).ToArray();
        flipped[9] ^= 4;
        Assert.False(partial.TryWriteChunk(1, flipped));
        Assert.False(partial.TryWriteChunk(1, _random.Chunk(2)));
        Assert.False(partial.TryWriteChunk(1, _random.Chunk(1)[..^1]));
        Assert.False(partial.Has(1));
        Assert.True(partial.TryWriteChunk(1, _random.Chunk(1)));
        Assert.Equal(5, MissingCount(partial));
    }

    [Fact]
    public void AMarkedChunkThatThePowerCutTookIsMissingAgain()
    {
        using (var partial = _store.OpenPartial(Wanted))
        {
            for (var i = 0; i < 4; i++) partial.TryWriteChunk(i, _random.Chunk(i));
        }
        using (var file = File.OpenWrite(_layout.PartialBlob(Wanted.Digest)))
        {
            file.Position = 2 * Blob.StandardChunkSize;
            file.Write(new byte[100]);
        }
        using (var again = _store.OpenPartial(Wanted))
        {
            Assert.Equal((2, 1), again.NextMissing());
            Assert.Equal(3, MissingCount(again));
        }
        Write(2, 4, 5);
        Assert.True(_store.IsWhole(Wanted));
    }

    [Fact]
    public void AMapThatIsTornOrOfAnotherBlobMeansABeginningAnew()
    {
        var other = new SampleBlob(Wanted.Chunks.Count * Blob.StandardChunkSize, 2);
        using (var partial = _store.OpenPartial(other.Blob)) partial.TryWriteChunk(0, other.Chunk(0));
        foreach (var map in (byte[][])[[], File.ReadAllBytes(_layout.PartialMap(other.Blob.Digest)), [1, 2, 3]])
        {
            using (var partial = _store.OpenPartial(Wanted)) partial.TryWriteChunk(0, _random.Chunk(0));
            File.WriteAllBytes(_layout.PartialMap(Wanted.Digest), map);
            using var again = _store.OpenPartial(Wanted);
            Assert.Equal(6, MissingCount(again));
        }
    }

    [Fact]
    public void AMapThatClaimsEverythingGivesNothingForFree()
    {
        using (var partial = _store.OpenPartial(Wanted)) partial.TryWriteChunk(0, _random.Chunk(0));
        var map = File.ReadAllBytes(_layout.PartialMap(Wanted.Digest));
        map[^1] = 0xFF;
        File.WriteAllBytes(_layout.PartialMap(Wanted.Digest), map);
        using var again = _store.OpenPartial(Wanted);
        Assert.Equal(5, MissingCount(again));
    }

    [Fact]
    public void ABlobWhoseChunksAndDigestDisagreeIsNeverStored()
    {
        var lie = Wanted with { Digest = Digest.Of("another"u8) };
        using var partial = _store.OpenPartial(lie);
        for (var i = 0; i < lie.Chunks.Count; i++) partial.TryWriteChunk(i, _random.Chunk(i));
        Assert.False(partial.TryFinish());
        Assert.Empty(_store.List());
        Assert.Empty(_store.ListPartial());
    }

    [Fact]
    public async Task AStoredBlobThatRottedHasASecondNameOrIsALinkIsNotWhole()
    {
        Write(0, 1, 2, 3, 4, 5);
        var path = _layout.Blob(Wanted.Digest);
        await Tool.SucceedAsync("ln", path, _folder["second"]);
        Assert.False(_store.Has(Wanted));
        File.Delete(_folder["second"]);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using (var file = File.OpenWrite(path))
        {
            file.Position = 100_000;
            file.WriteByte((byte)~_random.Content[100_000]);
        }
        Assert.True(_store.Has(Wanted));
        Assert.False(_store.IsWhole(Wanted));
        File.Move(path, _folder["elsewhere"]);
        File.CreateSymbolicLink(path, _folder["elsewhere"]);
        Assert.False(_store.Has(Wanted));
    }

    [Fact]
    public void APartialFileThatIsALinkIsNotWrittenThrough()
    {
        File.WriteAllBytes(_folder["victim"], new byte[Wanted.Size]);
        File.CreateSymbolicLink(_layout.PartialBlob(Wanted.Digest), _folder["victim"]);
        using (var partial = _store.OpenPartial(Wanted)) partial.TryWriteChunk(0, _random.Chunk(0));
        Assert.All(File.ReadAllBytes(_folder["victim"]), b => Assert.Equal(0, b));
    }

    [Fact]
    public void RecoveryRemovesStraysAndKeepsWhatCanGoOn()
    {
        Write(0, 1, 2, 3, 4, 5);
        var going = new SampleBlob(100, 3);
        using (_store.OpenPartial(going.Blob))
        {
            // What an agent leaves that is killed here.
        }
        File.WriteAllText(Path.Combine(_layout.Blobs, ".x.tmp"), "x");
        File.WriteAllText(Path.Combine(_layout.Partial, "notes"), "x");
        File.WriteAllText(_layout.PartialMap(Digest.Of("gone"u8)), "x");
        _store.Recover();
        Assert.Single(Directory.GetFiles(_layout.Blobs));
        Assert.Equal(2, Directory.GetFiles(_layout.Partial).Length);
        Assert.True(_store.IsWhole(Wanted));
    }

    [Fact]
    public void TheReserveIsOneMebibyteOfRealBlocks()
    {
        Assert.True(_store.MakeReserve());
        Assert.True(_store.MakeReserve());
        Assert.Equal(1024 * 1024, new FileInfo(_layout.Reserve).Length);
        _store.FreeReserve();
        Assert.False(File.Exists(_layout.Reserve));
    }

    private void Write(params int[] chunks)
    {
        using var partial = _store.OpenPartial(Wanted);
        foreach (var i in chunks) Assert.True(partial.TryWriteChunk(i, _random.Chunk(i)));
        Assert.True(partial.TryFinish());
    }

    private static int MissingCount(PartialBlob partial) => Enumerable.Range(0, partial.Blob.Chunks.Count).Count(chunk => !partial.Has(chunk));
}
