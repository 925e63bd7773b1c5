import { Address, Bytes } from '@graphprotocol/graph-ts'
import { assert, test } from 'matchstick-as/assembly/index'
import {
  bondingManagerVersion,
  bondingManagerVersionAt,
  isBondingManagerTarget,
} from '../../../subgraph/protocol/bonding-manager-version'

const ARBITRUM_ONE = '0x35Bcf3c30594191d53231E4FF333E8A770453e40'

function expectVersionAt(block: i32, version: i32): void {
  assert.i32Equals(version, bondingManagerVersionAt(Address.fromString(ARBITRUM_ONE), block), `block ${block}`)
}

function expectVersion(target: string, version: i32): void {
  assert.i32Equals(version, bondingManagerVersion(Address.fromString(target)), target)
}

test('a deployment counts from its own block on', () => {
  expectVersionAt(0, 1)
  expectVersionAt(5_856_368, 1)
  expectVersionAt(5_856_369, 1)
  expectVersionAt(6_751_263, 1)
  expectVersionAt(6_751_264, 2)
  expectVersionAt(6_897_364, 2)
  expectVersionAt(6_897_365, 3)
  expectVersionAt(8_014_612, 4)
  expectVersionAt(21_197_217, 5)
  expectVersionAt(108_471_272, 6)
  expectVersionAt(139_793_541, 6)
  expectVersionAt(139_793_542, 7)
  expectVersionAt(146_118_898, 8)
  expectVersionAt(194_176_435, 8)
  expectVersionAt(194_176_436, 9)
  expectVersionAt(i32.MAX_VALUE, 9)
})

test('another contract is of the latest version at any block', () => {
  assert.i32Equals(9, bondingManagerVersionAt(Address.zero(), 0))
  assert.i32Equals(9, bondingManagerVersionAt(Address.zero(), 6_751_264))
})

test('each deployment by its address, and one that is not known', () => {
  expectVersion('0xe479B9fbA2Cd65f822f451fC8C145c663B995CE6', 1)
  expectVersion('0xC40df4db2f99e7e235780A93B192F1a934f0c45b', 2)
  expectVersion('0x3757DB506ECd9CBE643660C0F5b70db5b321202C', 3)
  expectVersion('0x0f9C425E7374602C20370d3fd263155B4c3bDc91', 4)
  expectVersion('0x3a941e1094B9E33efABB26a9047a8ABb4b257907', 5)
  expectVersion('0x9C9209C9ff6996513B3673D69Ee7b36a6c58a8Cf', 6)
  expectVersion('0x363cdB9BaE210Ef182c60b5a496139E980330127', 7)
  expectVersion('0x557093B1Ab53412166beAd939f34244170b6525B', 8)
  expectVersion('0x6b397f20DC227B4E23fEc20BBDBe166d0DFFC452', 9)
  expectVersion(ARBITRUM_ONE, 9)
})

test('Controller tells of the code behind BondingManager by the hash of its name', () => {
  assert.assertTrue(
    isBondingManagerTarget(Bytes.fromHexString('0xfc6f6f33d2bb065ac61cbdd4dbe4b7adf6f3e7e6c6a3d1fe297cbf9a187092e4')),
  )
  // BondingManager, the proxy itself.
  assert.assertTrue(
    !isBondingManagerTarget(Bytes.fromHexString('0x2517d59a36a86548e38734e8ab416f42afff4bca78706a66ad65750dae7f9e37')),
  )
})
