using Dunlin.Agent.Updates.Fetching;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Samples;
using Dunlin.TestKit.Servers;

namespace Dunlin.Agent.Tests.Updates.Fetching;

/// <summary>A real ext4 of eight megabytes that the test fills.</summary>
public sealed class FullDiskTests : IAsyncLifetime
{
    /// <summary>Bytes that the file system may take for itself.</summary>
    private const long Slack = 64 << 10;
    private const int BlockByteCount = 4096;

    private readonly string _image = Path.Combine(Path.GetTempPath(), $"dunlin-disk-{Guid.NewGuid():N}");
    private readonly string _mount;

    public FullDiskTests() => _mount = _image + ".d";

    public async ValueTask InitializeAsync()
    {
        if (!Environment.IsPrivilegedProcess) Assert.Skip("Only root may mount a disk of its own.");
        await using (var file = File.Create(_image)) file.SetLength(8 << 20);
        Directory.CreateDirectory(_mount);
        await Tool.SucceedAsync("mkfs.ext4", "-q", "-m", "0", _image);
        var (code, output) = await Tool.RunAsync("mount", "-o", "loop", _image, _mount);
        if (code != 0) Assert.Skip($"This machine mounts no loop devices: {output}");
    }

    public async ValueTask DisposeAsync()
    {
        await Tool.RunAsync("umount", _mount);
        if (Directory.Exists(_mount)) Directory.Delete(_mount);
        File.Delete(_image);
    }

    [Fact]
    public async Task ADiskThatIsFullAtAnyPointEndsTheFetchCleanlyAndARoomierOneTakesIt()
    {
        var blob = new SampleBlob(3_000_000);
        await using var server = ScriptedServer.Serving(blob.Content);
        var ballast = Path.Combine(_mount, "ballast");
        foreach (var kibibytes in (int[])[0, 4, 8, 64, 1000, 2928, 2932, 2936, 2944, 3500])
        {
            using var setup = new FetchSetup(folder: Path.Combine(_mount, "state"), reserve: 0);
            Fill(ballast, setup.Store.FreeByteCount - (kibibytes * 1024L));
            var free = setup.Store.FreeByteCount;
            Assert.InRange(free, (kibibytes * 1024L) - Slack, (kibibytes * 1024L) + BlockByteCount);
            var result = await setup.FetchAsync(blob, FetchSetup.Http(server.Address));
            if (free < blob.Content.Length) Assert.Equal(FetchCodes.NoSpace, result.Code);
            if (free > blob.Content.Length + Slack) Assert.True(result.IsSuccess, $"{free} bytes: {result}");
            if (result.IsSuccess) setup.Store.Delete(blob.Blob.Digest);
            else Assert.Equal(FetchCodes.NoSpace, result.Code);
            Assert.Empty(Directory.GetFiles(setup.Layout.Partial));
            Assert.Empty(Directory.GetFiles(setup.Layout.Blobs));
            File.Delete(ballast);
        }
        using var last = new FetchSetup(folder: Path.Combine(_mount, "state"), reserve: 1_000_000);
        await last.SucceedAsync(blob, FetchSetup.Http(server.Address));
    }

    [Fact]
    public async Task TheReserveIsLeftFreeAndNothingIsAskedFor()
    {
        var blob = new SampleBlob(3_000_000);
        await using var server = ScriptedServer.Serving(blob.Content);
        using var setup = new FetchSetup(folder: Path.Combine(_mount, "state"), reserve: 6_000_000);
        var result = await setup.FetchAsync(blob, FetchSetup.Http(server.Address));
        Assert.Equal(FetchCodes.NoSpace, result.Code);
        Assert.Contains("bytes of disk are lacking", result.Detail, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    private static void Fill(string path, long byteCount)
    {
        using var file = File.Create(path);
        var block = new byte[BlockByteCount];
        new Random(1).NextBytes(block);
        try
        {
            for (var written = 0L; written < byteCount; written += block.Length) file.Write(block);
            file.Flush();
        }
        catch (IOException)
        {
            // Full, as it should be.
        }
    }
}
